//! The kinds that create pods, the places of their pod templates, and the kinds of resources that share a column.

/// A kind that contains pod templates.
#[derive(Debug)]
pub(crate) struct WorkloadKind {
    pub(crate) kind: &'static str,
    pub(crate) templates: &'static [Template],
}

/// The place of a pod template; `*` steps into every element or member.
#[derive(Debug)]
pub(crate) struct Template {
    /// Path of the pod spec.
    pub(crate) spec: Path,
    /// Path of the metadata that the pods get.
    pub(crate) metadata: Path,
    /// Paths of other settings that the pod gets, under the names of a pod spec; the template takes precedence.
    pub(crate) defaults: &'static [Path],
}

type Path = &'static [&'static str];

const fn template(spec: Path, metadata: Path) -> Template {
    template_with_defaults(spec, metadata, &[])
}

const fn template_with_defaults(spec: Path, metadata: Path, defaults: &'static [Path]) -> Template {
    Template { spec, metadata, defaults }
}

const POD: &[Template] = &[template(&["spec"], &["metadata"])];
const POD_TEMPLATE: &[Template] = &[template(&["template", "spec"], &["template", "metadata"])];
const SPEC_TEMPLATE: &[Template] =
    &[template(&["spec", "template", "spec"], &["spec", "template", "metadata"])];
const CRON_JOB: &[Template] = &[template(
    &["spec", "jobTemplate", "spec", "template", "spec"],
    &["spec", "jobTemplate", "spec", "template", "metadata"],
)];
const NO_METADATA: Path = &["spec", "-"];
const ARGO_WORKFLOW: &[Template] = &[template_with_defaults(
    &["spec", "templates", "*"],
    &["spec", "podMetadata"],
    &[&["spec", "templateDefaults"], &["spec"]],
)];
const ARGO_CRON_WORKFLOW: &[Template] = &[template_with_defaults(
    &["spec", "workflowSpec", "templates", "*"],
    &["spec", "workflowSpec", "podMetadata"],
    &[&["spec", "workflowSpec", "templateDefaults"], &["spec", "workflowSpec"]],
)];
const TEKTON_TASK: &[Template] = &[template(&["spec"], NO_METADATA)];
const TEKTON_TASK_RUN: &[Template] = &[template_with_defaults(
    &["spec", "taskSpec"],
    NO_METADATA,
    &[&["spec", "podTemplate"], &["spec"]],
)];
const TEKTON_PIPELINE: &[Template] = &[
    template(&["spec", "tasks", "*", "taskSpec"], NO_METADATA),
    template(&["spec", "finally", "*", "taskSpec"], NO_METADATA),
];
/// `taskRunTemplate` in v1; in v1beta1 the spec itself.
const TEKTON_PIPELINE_RUN_DEFAULTS: &[Path] = &[
    &["spec", "taskRunTemplate", "podTemplate"],
    &["spec", "taskRunTemplate"],
    &["spec", "podTemplate"],
    &["spec"],
];
const TEKTON_PIPELINE_RUN: &[Template] = &[
    template_with_defaults(
        &["spec", "pipelineSpec", "tasks", "*", "taskSpec"],
        NO_METADATA,
        TEKTON_PIPELINE_RUN_DEFAULTS,
    ),
    template(&["spec", "pipelineSpec", "finally", "*", "taskSpec"], NO_METADATA),
];
const RAY_CLUSTER: &[Template] = &[
    template(&["spec", "headGroupSpec", "template", "spec"], NO_METADATA),
    template(&["spec", "workerGroupSpecs", "*", "template", "spec"], NO_METADATA),
];
const RAY_JOB: &[Template] = &[
    template(&["spec", "rayClusterSpec", "headGroupSpec", "template", "spec"], NO_METADATA),
    template(&["spec", "rayClusterSpec", "workerGroupSpecs", "*", "template", "spec"], NO_METADATA),
    template(&["spec", "submitterPodTemplate", "spec"], NO_METADATA),
];
const RAY_SERVICE: &[Template] = &[
    template(&["spec", "rayClusterConfig", "headGroupSpec", "template", "spec"], NO_METADATA),
    template(
        &["spec", "rayClusterConfig", "workerGroupSpecs", "*", "template", "spec"],
        NO_METADATA,
    ),
];
/// By role: `Master`, `Worker`, …
const PYTORCH_JOB: &[Template] =
    &[template(&["spec", "pytorchReplicaSpecs", "*", "template", "spec"], NO_METADATA)];
const TF_JOB: &[Template] =
    &[template(&["spec", "tfReplicaSpecs", "*", "template", "spec"], NO_METADATA)];
const MPI_JOB: &[Template] =
    &[template(&["spec", "mpiReplicaSpecs", "*", "template", "spec"], NO_METADATA)];
const XGBOOST_JOB: &[Template] =
    &[template(&["spec", "xgbReplicaSpecs", "*", "template", "spec"], NO_METADATA)];
const PADDLE_JOB: &[Template] =
    &[template(&["spec", "paddleReplicaSpecs", "*", "template", "spec"], NO_METADATA)];
const INFERENCE_SERVICE: &[Template] = &[
    template(&["spec", "predictor"], NO_METADATA),
    template(&["spec", "transformer"], NO_METADATA),
    template(&["spec", "explainer"], NO_METADATA),
];
const VOLCANO_JOB: &[Template] =
    &[template(&["spec", "tasks", "*", "template", "spec"], NO_METADATA)];
const JOB_SET: &[Template] = &[template(
    &["spec", "replicatedJobs", "*", "template", "spec", "template", "spec"],
    NO_METADATA,
)];

/// Returns the kind for an API group and resource, if it creates pods.
///
/// Built-in kinds are those of kubernetes/kubernetes `pkg/apis`. Custom resources are those whose definitions embed a
/// pod template or containers (Argo, JobSet, Knative, KServe, Kubeflow, OpenKruise, OpenShift, Ray, Tekton, Volcano).
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
        ("tekton.dev", "pipelines") => ("Pipeline", TEKTON_PIPELINE),
        ("tekton.dev", "pipelineruns") => ("PipelineRun", TEKTON_PIPELINE_RUN),
        ("kubeflow.org", "notebooks") => ("Notebook", SPEC_TEMPLATE),
        ("kubeflow.org", "pytorchjobs") => ("PyTorchJob", PYTORCH_JOB),
        ("kubeflow.org", "tfjobs") => ("TFJob", TF_JOB),
        ("kubeflow.org", "mpijobs") => ("MPIJob", MPI_JOB),
        ("kubeflow.org", "xgboostjobs") => ("XGBoostJob", XGBOOST_JOB),
        ("kubeflow.org", "paddlejobs") => ("PaddleJob", PADDLE_JOB),
        ("serving.kserve.io", "inferenceservices") => ("InferenceService", INFERENCE_SERVICE),
        ("batch.volcano.sh", "jobs") => ("Job", VOLCANO_JOB),
        ("jobset.x-k8s.io", "jobsets") => ("JobSet", JOB_SET),
        ("ray.io", "rayclusters") => ("RayCluster", RAY_CLUSTER),
        ("ray.io", "rayjobs") => ("RayJob", RAY_JOB),
        ("ray.io", "rayservices") => ("RayService", RAY_SERVICE),
        ("apps.kruise.io", "clonesets") => ("CloneSet", SPEC_TEMPLATE),
        ("apps.kruise.io", "broadcastjobs") => ("BroadcastJob", SPEC_TEMPLATE),
        _ => return None,
    };
    Some(WorkloadKind { kind, templates })
}

/// Returns the kind for an API group and resource, if its objects may contain pod specs: the templates of a searched
/// kind are unknown.
pub(crate) fn holder_kind(api_group: &str, resource: &str) -> Option<WorkloadKind> {
    let searched = || {
        let is_searched = is_searched(api_group, resource);
        is_searched.then_some(WorkloadKind { kind: "", templates: &[] })
    };
    workload_kind(api_group, resource).or_else(searched)
}

/// Returns whether an object is searched for pod specs and roles in unlisted places.
///
/// Custom resources are searched, and the built-in kinds that change pods or nodes. Kinds that only deny, report or
/// select are not: constraints, policy reports.
pub(crate) fn is_searched(api_group: &str, resource: &str) -> bool {
    const ONLY_REFUSE_OR_REPORT: [&str; 8] = [
        "constraints.gatekeeper.sh",
        "templates.gatekeeper.sh",
        "policies.kubewarden.io",
        "reports.kyverno.io",
        "wgpolicyk8s.io",
        "aquasecurity.github.io",
        "spdx.softwarecomposition.kubescape.io",
        "authorization.openshift.io",
    ];
    // Other groups that end in `k8s.io` are custom resources, such as those of Spark.
    const BUILT_IN: [&str; 22] = [
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "custom.metrics.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "external.metrics.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "internal.apiserver.k8s.io",
        "metrics.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "snapshot.storage.k8s.io",
        "storage.k8s.io",
        "storagemigration.k8s.io",
    ];
    match (api_group, resource) {
        ("", "configmaps")
        | ("apps", "controllerrevisions")
        | ("admissionregistration.k8s.io", "mutatingadmissionpolicies")
        | ("resource.k8s.io", "resourceclaims" | "resourceclaimtemplates" | "deviceclasses") => {
            true
        }
        ("security.openshift.io", resource) => resource == "securitycontextconstraints",
        ("apps.openshift.io", "deploymentconfigs") => false,
        (group, _) if BUILT_IN.contains(&group) => false,
        (group, _) => group.contains('.') && !ONLY_REFUSE_OR_REPORT.contains(&group),
    }
}

/// Returns the kind for a resource of `rbac.authorization.k8s.io`, of `authorization.openshift.io`, whose server
/// creates the same objects, or of `management.cattle.io`, from which Rancher creates roles and bindings in its
/// clusters.
pub(crate) fn rbac_kind(api_group: &str, resource: &str) -> Option<&'static str> {
    match api_group {
        "rbac.authorization.k8s.io" | "authorization.openshift.io" => {}
        "management.cattle.io" => {
            return match resource {
                "globalroles" => Some("GlobalRole"),
                "roletemplates" => Some("RoleTemplate"),
                "globalrolebindings" => Some("GlobalRoleBinding"),
                "clusterroletemplatebindings" => Some("ClusterRoleTemplateBinding"),
                "projectroletemplatebindings" => Some("ProjectRoleTemplateBinding"),
                _ => None,
            };
        }
        _ => return None,
    }
    match resource {
        "roles" => Some("Role"),
        "clusterroles" => Some("ClusterRole"),
        "rolebindings" => Some("RoleBinding"),
        "clusterrolebindings" => Some("ClusterRoleBinding"),
        _ => None,
    }
}

/// Returns the kind for a resource of `admissionregistration.k8s.io` that configures webhooks.
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
