"""The views and four detections of podtrail as Polars expressions, over the lazy frame `stages` (one row per stage of a request)."""

import polars as pl

REQUEST = ["audit_id", "time", "cluster", "date", "activity"]

# What the controllers of the control plane create from the template of an owner.
CONTROLLER_MAKES = pl.LazyFrame(
    [
        ("cronjob-controller", "jobs", "CronJob"),
        ("daemon-set-controller", "pods", "DaemonSet"),
        ("deployment-controller", "replicasets", "Deployment"),
        ("job-controller", "pods", "Job"),
        ("replicaset-controller", "pods", "ReplicaSet"),
        ("replication-controller", "pods", "ReplicationController"),
        ("statefulset-controller", "pods", "StatefulSet"),
    ],
    schema=["account", "resource", "owner_kind"],
    orient="row",
)

PRIVATE = (
    r"(?i)^(::ffff:)?(127|10|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\."
    r"|^(::1$|f[cd]|fe[89ab])"
)


def events(stages):
    """Returns one row per request: its last stage."""
    early = stages.filter(pl.col("superseded").is_null())
    late = stages.filter(pl.col("superseded").ne_missing(True), pl.col("stage") != "RequestReceived")
    late = late.select(*REQUEST, late_stage="stage")
    followed = early.filter(pl.col("stage").is_in(["RequestReceived", "ResponseStarted"])).select(*REQUEST, "stage").join(late, on=REQUEST)
    return pl.concat([
        stages.filter(~pl.col("superseded")),
        early.join(followed.filter(pl.col("stage") != pl.col("late_stage")), on=[*REQUEST, "stage"], how="anti"),
    ])


def containers(events):
    """Returns one row per container of a workload that a person or a program writes: `authored_containers` of podtrail."""
    workload, verb, owner = pl.col("workload").struct, pl.col("verb"), pl.col("owner_kind")
    written = events.filter(
        pl.col("activity") == "workload",
        pl.col("workload").is_not_null(),
        pl.col("outcome") == "allowed",
        pl.col("identity_kind").ne_missing("node"),
    ).select(
        "event_id", "username", "identity_kind", "verb", "resource",
        owner_kind=workload.field("owner").struct.field("kind"),
        host_process=workload.field("host_process"),
        container=workload.field("containers"),
    )
    account = pl.lit("system:serviceaccount:kube-system:") + pl.col("account")
    made_by_controller = written.filter(pl.col("identity_kind") == "controller").join(
        CONTROLLER_MAKES, on=["resource", "owner_kind"]
    ).filter(
        (pl.col("username") == "system:kube-controller-manager") | (pl.col("username") == account),
        (verb == "create") | (verb.is_in(["update", "patch"]) & owner.is_in(["Deployment", "StatefulSet"])),
    )
    return written.join(made_by_controller, on="event_id", how="anti").explode("container")


def privileged_container(events):
    container = pl.col("container").struct
    is_host_process = pl.coalesce(container.field("host_process"), "host_process")
    return containers(events).filter(container.field("privileged").fill_null(False) | is_host_process.fill_null(False))


def exec_into_pod(events):
    access = pl.col("exec").struct
    return events.filter(
        pl.col("activity") == "access",
        pl.col("resource").is_in(["pods", "nodes"]),
        pl.coalesce(access.field("action"), "subresource") == "exec",
        ~pl.col("outcome").is_in(["denied_authn", "denied_authz", "denied_admission"]),
    )


def wildcard_role(events):
    rbac, rule = pl.col("rbac").struct, pl.col("rule").struct
    groups = rule.field("api_groups")
    written = events.filter(
        pl.col("activity") == "rbac",
        pl.col("outcome") == "allowed",
        pl.col("verb").is_in(["create", "update", "patch"]),
        pl.col("identity_kind") != "controller",
    )
    roles = written.filter(rbac.field("kind").is_in(["Role", "ClusterRole"]))
    named = roles.select("event_id", rule=rbac.field("rules")).explode("rule").filter(
        rule.field("verbs").list.contains("*"),
        rule.field("resources").list.contains("*"),
        (groups.list.len().fill_null(0) == 0) | groups.list.contains("") | groups.list.contains("*"),
    )
    in_effect = written.filter(rbac.field("effects").list.contains("everything"))
    return pl.concat([named.select("event_id"), in_effect.select("event_id")])


def denied_burst(events):
    refused = events.filter(
        pl.col("outcome").is_in(["denied_authn", "denied_authz"]),
        pl.col("identity_kind").is_in(["human", "service_account", "cloud_service_account", "anonymous"]),
    ).select("event_id", "cluster", "username", "client_ip", "time", is_public=~pl.col("client_ip").str.contains(PRIVATE))
    one = in_window(refused, ["cluster", "username", "client_ip"], "5m", 10)
    public = in_window(refused.filter("is_public"), ["cluster", "client_ip"], "30m", 10).with_columns(is_in_public=True)
    source = ["cluster", "username", "client_ip"]
    is_after_pause = pl.col("time").diff() > pl.duration(seconds=1800)
    return (
        pl.concat([one, public], how="diagonal")
        .group_by("event_id", "time", *source).agg(pl.col("is_in_public").fill_null(False).any())
        # Several identities at one public address count together.
        .with_columns(username=pl.when("is_in_public").then(None).otherwise("username"))
        .sort("time", "event_id")
        .with_columns(session=is_after_pause.fill_null(False).cum_sum().over(source))
        .group_by(*source, "is_in_public", "session").agg(pl.col("event_id").head(50))
    )


def in_window(rows, keys, period, least):
    """Returns the rows that lie in a window, beginning at any row, with at least so many rows of the same keys."""
    counts = rows.group_by(*keys, "time").len().sort("time")
    following = counts.rolling("time", period=period, offset="0s", closed="both", group_by=keys)
    begins = following.agg(begins=pl.col("len").sum() >= least).sort("time")
    preceding = begins.rolling("time", period=period, closed="both", group_by=keys)
    inside = preceding.agg(inside=pl.col("begins").any()).filter("inside")
    return rows.join(inside, on=[*keys, "time"], how="semi", nulls_equal=True)
