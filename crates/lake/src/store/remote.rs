//! Makes the client of an object store from the environment.

use std::env;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::client::{ClientConfigKey, SpawnedReqwestConnector};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{BackoffConfig, ObjectStore, RetryConfig};

use crate::store::location::ObjectUrl;
use crate::store::waiting::requests;

/// The time limit of one request and its answer: enough for a part of an upload at 500 kB/s.
const TIMEOUT: &str = "40s";

/// Makes the client of the store that a URL names.
///
/// # Errors
/// Returns what is missing in the environment. It contains no value of it.
pub(crate) fn build(url: &ObjectUrl) -> Result<Arc<dyn ObjectStore>, String> {
    let plain = |error: object_store::Error| {
        error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    // Connections belong to threads that last as long as the process: a query may be abandoned with its threads.
    let runtime = requests().map_err(|error| error.to_string())?;
    let connector = SpawnedReqwestConnector::new(runtime.clone());
    match url.scheme.as_str() {
        "s3" => {
            check_profile()?;
            check_http(
                &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"],
                "AWS_ALLOW_HTTP",
            )?;
            let store = AmazonS3Builder::from_env()
                .with_bucket_name(&url.bucket)
                .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), TIMEOUT)
                .with_retry(retries())
                .with_http_connector(connector)
                .build();
            Ok(Arc::new(store.map_err(plain)?))
        }
        "gs" => {
            let store = GoogleCloudStorageBuilder::from_env()
                .with_bucket_name(&url.bucket)
                .with_config(GoogleConfigKey::Client(ClientConfigKey::Timeout), TIMEOUT)
                .with_retry(retries())
                .with_http_connector(connector)
                .build();
            Ok(Arc::new(store.map_err(plain)?))
        }
        _ => {
            check_http(&["AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"], "AZURE_ALLOW_HTTP")?;
            let store = MicrosoftAzureBuilder::from_env()
                .with_url(url.root())
                .with_config(AzureConfigKey::Client(ClientConfigKey::Timeout), TIMEOUT)
                .with_retry(retries())
                .with_http_connector(connector)
                .build();
            Ok(Arc::new(store.map_err(plain)?))
        }
    }
}

/// Repeats requests that were throttled, or that the server failed, for up to two minutes.
fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(15),
            base: 2.,
        },
        max_retries: 12,
        retry_timeout: Duration::from_mins(2),
    }
}

fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty())
}

/// Rejects credentials that the client cannot read, which it would otherwise ignore silently.
fn check_profile() -> Result<(), String> {
    let has_credentials = is_set("AWS_ACCESS_KEY_ID")
        || is_set("AWS_WEB_IDENTITY_TOKEN_FILE")
        || is_set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
        || is_set("AWS_CONTAINER_CREDENTIALS_FULL_URI")
        || is_set("AWS_SKIP_SIGNATURE");
    let of_profile =
        ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"];
    match of_profile.into_iter().find(|variable| is_set(variable)) {
        Some(variable) if !has_credentials => Err(format!(
            "{variable} is set, but profiles and single sign-on (SSO) are not supported; run \
             `eval \"$(aws configure export-credentials --format env)\"`, which sets AWS_ACCESS_KEY_ID, \
             AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
        )),
        _ => Ok(()),
    }
}

/// Rejects an endpoint without TLS unless it is allowed.
fn check_http(endpoints: &[&str], allow: &str) -> Result<(), String> {
    let is_http = |variable: &&&str| env::var(variable).is_ok_and(|url| url.starts_with("http://"));
    match endpoints.iter().find(is_http) {
        Some(variable) if !is_set(allow) => {
            Err(format!("{variable} has no TLS (http://); set {allow}=true to allow that"))
        }
        _ => Ok(()),
    }
}
