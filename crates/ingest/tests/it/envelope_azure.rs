//! Diagnostic records of AKS, as in samples of Event Hubs; Log Analytics and Defender, as documented.

use podtrail_ingest::Options;

use crate::support::{event, lines, run_stream};
use crate::unwrapped::{
    Known, SHIPPED, SHIPPED_MILLIS, check, check_known, check_skipped, column, quoted,
};

const POD: &str = "kube-apiserver-79599f95c7-qn557";
const RESOURCE: &str =
    "/SUBSCRIPTIONS/1/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/PROD";

fn record(category: &str, log: &str) -> String {
    format!(
        r#"{{"operationName":"Microsoft.ContainerService/managedClusters/diagnosticLogs/Read","category":"{category}","ccpNamespace":"5eb1","resourceId":"{RESOURCE}","properties":{{"log":{log},"stream":"stdout","pod":"{POD}"}},"time":"2026-11-23T21:55:02.5000000Z","Cloud":"AzureCloud"}}"#
    )
}

/// The event of `support::event` as a row of `AKSAudit`, with its dynamic columns as JSON or as text.
fn audit_row(body: &str, dynamic: impl Fn(&str) -> String) -> String {
    let columns = [
        ("TenantId", r#""t""#.to_owned()),
        ("TimeGenerated", format!(r#""{SHIPPED}""#)),
        ("Level", r#""Metadata""#.to_owned()),
        ("AuditId", r#""id-1""#.to_owned()),
        ("Stage", r#""ResponseComplete""#.to_owned()),
        ("RequestUri", r#""/api/v1/namespaces/a/pods?x={}""#.to_owned()),
        ("Verb", r#""list""#.to_owned()),
        ("User", dynamic(r#"{"username":"alice","groups":["system:authenticated"]}"#)),
        ("SourceIps", dynamic(r#"["10.0.0.1"]"#)),
        ("UserAgent", r#""""#.to_owned()),
        ("ObjectRef", dynamic(r#"{"resource":"pods","namespace":"a","apiVersion":"v1"}"#)),
        ("ResponseStatus", dynamic(r#"{"metadata":{},"code":200}"#)),
        ("RequestObject", body.to_owned()),
        ("ResponseObject", "null".to_owned()),
        ("RequestReceivedTime", r#""2026-11-23T21:55:01.3747970Z""#.to_owned()),
        ("StageReceivedTime", r#""2026-11-23T21:55:01.374797Z""#.to_owned()),
        ("PodName", format!(r#""{POD}""#)),
        ("_ResourceId", format!(r#""{}""#, RESOURCE.to_lowercase())),
        ("Type", r#""AKSAudit""#.to_owned()),
    ];
    let columns: Vec<String> =
        columns.iter().map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
    format!("{{{}}}", columns.join(","))
}

/// Rows in the form of the query API.
fn table(rows: &[String]) -> String {
    let rows: Vec<serde_json::Map<String, serde_json::Value>> =
        rows.iter().map(|row| serde_json::from_str(row).expect("a row")).collect();
    let columns: Vec<String> =
        rows[0].keys().map(|name| format!(r#"{{"name":"{name}","type":"string"}}"#)).collect();
    let cells = |row: &serde_json::Map<String, serde_json::Value>| {
        let cells: Vec<String> = row.values().map(ToString::to_string).collect();
        format!("[{}]", cells.join(","))
    };
    let rows: Vec<String> = rows.iter().map(cells).collect();
    format!(
        r#"{{"tables":[{{"name":"PrimaryResult","columns":[{}],"rows":[{}]}}]}}"#,
        columns.join(","),
        rows.join(",")
    )
}

#[test]
fn every_format() {
    let raw = event(1);
    let text = quoted(&format!("{raw}\n"));
    let full = |envelopes| Known {
        envelopes,
        provider: "aks",
        // In any spelling of the resource id.
        cluster: "prod",
        node: POD,
        shipped_at: Some(SHIPPED_MILLIS),
    };
    let one = record("kube-audit", &text);
    let properties = quoted(&format!(r#"{{"log":{text},"pod":"{POD}"}}"#));
    // The tables have resource ids in lower case.
    let resource = RESOURCE.to_lowercase();
    let diagnostics = format!(
        r#"{{"TimeGenerated":"{SHIPPED}","Category":"kube-audit","pod_s":"{POD}","log_s":{},"_ResourceId":"{resource}"}}"#,
        quoted(&raw)
    );
    let as_is = audit_row(r#""""#, str::to_owned);
    let as_text = audit_row("null", quoted);
    let defender = format!(
        r#"{{"time":"{SHIPPED}","category":"AdvancedHunting-CloudAuditEvents","operationName":"Publish","properties":{{"Timestamp":"{SHIPPED}","AzureResourceId":"{resource}","RawEventData":{{"AuditID":"id-1","Level":"Metadata","Stage":"ResponseComplete","RequestURI":"/api/v1/namespaces/a/pods?x={{}}","Verb":"list","User":{{"username":"alice","groups":["system:authenticated"]}},"SourceIPs":["10.0.0.1"],"ObjectRef":{{"resource":"pods","namespace":"a","apiVersion":"v1"}},"ResponseStatus":{{"metadata":{{}},"code":200}},"RequestObject":null,"Annotations":null,"RequestReceivedTimestamp":"2026-11-23T21:55:01.374797Z","StageTimestamp":"2026-11-23T21:55:01.374797Z","DataPipelineMetadata":{{"x":1}}}}}}}}"#
    );
    let cases: Vec<(&str, String, Known<'_>)> = vec![
        (
            "Event Hub batch",
            format!(r#"{{"records": [{one}]}}"#),
            full("azure-records azure-diagnostics"),
        ),
        ("storage account", one.clone(), full("azure-diagnostics")),
        ("array", format!("[{one}]"), full("array azure-diagnostics")),
        ("object in the record", record("kube-audit-admin", &raw), full("azure-diagnostics")),
        (
            "properties as text",
            format!(
                r#"{{"category":"kube-audit","resourceId":"{RESOURCE}","properties":{properties},"time":"{SHIPPED}"}}"#
            ),
            full("azure-diagnostics"),
        ),
        (
            "escaped slashes",
            record("kube-audit", &text.replace('/', r"\/")),
            full("azure-diagnostics"),
        ),
        ("AzureDiagnostics", format!("[{diagnostics}]"), full("array azure-log-analytics")),
        ("AzureDiagnostics table", table(&[diagnostics]), full("azure-query azure-log-analytics")),
        ("AKSAudit", as_is.clone(), full("azure-log-analytics")),
        ("AKSAudit as text", as_text, full("azure-log-analytics")),
        ("AKSAudit table", table(&[as_is]), full("azure-query azure-log-analytics")),
        ("Defender", defender, Known { node: "", ..full("defender") }),
    ];
    for (name, log, known) in cases {
        check(name, log, &raw, &known);
    }
}

#[test]
fn a_resource_of_azure_arc() {
    let resource = "/subscriptions/1/providers/Microsoft.Kubernetes/connectedClusters/Edge";
    let log = record("kube-audit", &quoted(&event(1))).replace(RESOURCE, resource);
    let (memory, _) = run_stream(log, &Options::default());
    let known = Known {
        envelopes: "azure-diagnostics",
        provider: "azure-arc",
        cluster: "edge",
        node: POD,
        shipped_at: Some(SHIPPED_MILLIS),
    };
    check_known("Arc", &memory, &known);
}

/// Both categories enabled, and others.
#[test]
fn categories() {
    let klog = quoted("I1123 21:55:01.374797      10 controller.go:128] synced\n");
    for category in ["kube-apiserver", "cluster-autoscaler", "guard", "cloud-controller-manager"] {
        check_skipped(category, record(category, &klog), 1);
        let row = format!(r#"[{{"Category":"{category}","log_s":{klog}}}]"#);
        check_skipped(category, row, 1);
    }
    let records = ["kube-audit", "kube-audit-admin"].map(|name| record(name, &quoted(&event(1))));
    let (memory, _) = run_stream(lines(records), &Options::default());
    let ids = column(&memory, "event_id");
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
}

/// A body that was too large for the table is absent, which differs from empty.
#[test]
fn a_body_left_out() {
    let log = audit_row(r#""skipped-too-big-size-object""#, str::to_owned);
    let (memory, summary) = run_stream(log.clone(), &Options::default());
    assert_eq!(summary.events_added, 1);
    assert_eq!(column(&memory, "request_object"), [""]);
    assert_eq!(column(&memory, "truncated"), ["true"]);
    assert_eq!(column(&memory, "original"), [log]);
    assert_eq!(column(&memory, "outcome"), ["allowed"]);
}
