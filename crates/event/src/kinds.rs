//! Which kinds make pods, and where in them the pod templates stand; and the kinds of resources that share a column.

/// A kind that carries pod templates.
#[derive(Debug)]
pub(crate) struct WorkloadKind {
    pub(crate) kind: &'static str,
    pub(crate) templates: &'static [Template],
}

/// Where one pod template stands; `*` steps into every element or member.
#[derive(Debug)]
pub(crate) struct Template {
    /// Path of the pod spec.
    pub(crate) spec: &'static [&'static str],
    /// Path of the metadata that the pods get.
    pub(crate) metadata: &'static [&'static str],
}

const fn template(spec: &'static [&'static str], metadata: &'static [&'static str]) -> Template {
    Template { spec, metadata }
}

const POD: &[Template] = &[template(&["spec"], &["metadata"])];
const POD_TEMPLATE: &[Template] = &[template(&["template", "spec"], &["template", "metadata"])];
const SPEC_TEMPLATE: &[Template] =
    &[template(&["spec", "template", "spec"], &["spec", "template", "metadata"])];
const CRON_JOB: &[Template] = &[template(
    &["spec", "jobTemplate", "spec", "template", "spec"],
    &["spec", "jobTemplate", "spec", "template", "metadata"],
)];
const NO_METADATA: &[&str] = &["spec", "-"];
const ARGO_WORKFLOW: &[Template] =
    &[template(&["spec", "templates", "*"], &["spec", "podMetadata"])];
const ARGO_CRON_WORKFLOW: &[Template] =
    &[template(&["spec", "workflowSpec", "templates", "*"], NO_METADATA)];
const TEKTON_TASK: &[Template] = &[template(&["spec"], NO_METADATA)];
const TEKTON_TASK_RUN: &[Template] = &[template(&["spec", "taskSpec"], NO_METADATA)];
const TEKTON_PIPELINE_RUN: &[Template] =
    &[template(&["spec", "pipelineSpec", "tasks", "*", "taskSpec"], NO_METADATA)];
const RAY_CLUSTER: &[Template] = &[
    template(&["spec", "headGroupSpec", "template", "spec"], NO_METADATA),
    template(&["spec", "workerGroupSpecs", "*", "template", "spec"], NO_METADATA),
];
const TRAINING_JOB: &[Template] = &[
    template(&["spec", "pytorchReplicaSpecs", "*", "template", "spec"], NO_METADATA),
    template(&["spec", "tfReplicaSpecs", "*", "template", "spec"], NO_METADATA),
    template(&["spec", "mpiReplicaSpecs", "*", "template", "spec"], NO_METADATA),
];

/// The kind behind an API group and resource, if it makes pods.
///
/// Built-in kinds are those of kubernetes/kubernetes `pkg/apis`; custom resources those whose definitions embed a pod
/// template or containers (Argo, Knative, Kubeflow, OpenKruise, OpenShift, Ray, Tekton).
pub(crate) fn workload_kind(api_group: &str, resource: &str) -> Option<WorkloadKind> {
    let (kind, templates) = match (api_group, resource) {
        ("", "pods") => ("Pod", POD),
        ("", "podtemplates") => ("PodTemplate", POD_TEMPLATE),
        ("", "replicationcontrollers") => ("ReplicationController", SPEC_TEMPLATE),
        // `extensions` carried these kinds until Kubernetes 1.16.
        ("apps" | "extensions", "deployments") => ("Deployment", SPEC_TEMPLATE),
        ("apps" | "extensions" | "apps.kruise.io", "daemonsets") => ("DaemonSet", SPEC_TEMPLATE),
        ("apps" | "extensions", "replicasets") => ("ReplicaSet", SPEC_TEMPLATE),
        ("apps" | "apps.kruise.io", "statefulsets") => ("StatefulSet", SPEC_TEMPLATE),
        ("batch", "jobs") => ("Job", SPEC_TEMPLATE),
        ("batch", "cronjobs") => ("CronJob", CRON_JOB),
        ("apps.openshift.io", "deploymentconfigs") => ("DeploymentConfig", SPEC_TEMPLATE),
        ("serving.knative.dev", "services") => ("Service", SPEC_TEMPLATE),
        ("serving.knative.dev", "configurations") => ("Configuration", SPEC_TEMPLATE),
        ("argoproj.io", "rollouts") => ("Rollout", SPEC_TEMPLATE),
        ("argoproj.io", "workflows") => ("Workflow", ARGO_WORKFLOW),
        ("argoproj.io", "workflowtemplates") => ("WorkflowTemplate", ARGO_WORKFLOW),
        ("argoproj.io", "clusterworkflowtemplates") => ("ClusterWorkflowTemplate", ARGO_WORKFLOW),
        ("argoproj.io", "cronworkflows") => ("CronWorkflow", ARGO_CRON_WORKFLOW),
        ("tekton.dev", "tasks") => ("Task", TEKTON_TASK),
        ("tekton.dev", "clustertasks") => ("ClusterTask", TEKTON_TASK),
        ("tekton.dev", "taskruns") => ("TaskRun", TEKTON_TASK_RUN),
        ("tekton.dev", "pipelineruns") => ("PipelineRun", TEKTON_PIPELINE_RUN),
        ("kubeflow.org", "notebooks") => ("Notebook", SPEC_TEMPLATE),
        ("kubeflow.org", "pytorchjobs") => ("PyTorchJob", TRAINING_JOB),
        ("kubeflow.org", "tfjobs") => ("TFJob", TRAINING_JOB),
        ("kubeflow.org", "mpijobs") => ("MPIJob", TRAINING_JOB),
        ("ray.io", "rayclusters") => ("RayCluster", RAY_CLUSTER),
        ("apps.kruise.io", "clonesets") => ("CloneSet", SPEC_TEMPLATE),
        _ => return None,
    };
    Some(WorkloadKind { kind, templates })
}

/// The RBAC kind behind a resource of `rbac.authorization.k8s.io`.
pub(crate) fn rbac_kind(api_group: &str, resource: &str) -> Option<&'static str> {
    if api_group != "rbac.authorization.k8s.io" {
        return None;
    }
    match resource {
        "roles" => Some("Role"),
        "clusterroles" => Some("ClusterRole"),
        "rolebindings" => Some("RoleBinding"),
        "clusterrolebindings" => Some("ClusterRoleBinding"),
        _ => None,
    }
}

/// The kind behind a resource of `admissionregistration.k8s.io` that configures webhooks.
pub(crate) fn webhook_kind(api_group: &str, resource: &str) -> Option<&'static str> {
    if api_group != "admissionregistration.k8s.io" {
        return None;
    }
    match resource {
        "mutatingwebhookconfigurations" => Some("MutatingWebhookConfiguration"),
        "validatingwebhookconfigurations" => Some("ValidatingWebhookConfiguration"),
        _ => None,
    }
}
