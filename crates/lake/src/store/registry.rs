//! The object stores that plans of other processes read, made from this process's environment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::object_store::ObjectStoreRegistry;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use url::{Position, Url};

use crate::store::location::ObjectUrl;
use crate::store::patient::Patient;
use crate::store::remote;

/// Object stores by the URL of their bucket. A store is made when a plan first reads from it; credentials, region and
/// endpoint come from the environment of this process, never from the plan.
#[derive(Debug, Default)]
pub struct EnvironmentStores(Mutex<HashMap<String, Arc<dyn ObjectStore>>>);

impl EnvironmentStores {
    fn key(url: &Url) -> String {
        url[..Position::BeforePath].to_owned()
    }

    fn make(url: &Url) -> Result<Arc<dyn ObjectStore>> {
        if url.scheme() == "file" {
            return Ok(Arc::new(LocalFileSystem::new()));
        }
        let refused = |detail: String| {
            DataFusionError::Configuration(format!("{}: {detail}", Self::key(url)))
        };
        let bucket =
            ObjectUrl::parse(&Self::key(url)).map_err(|error| refused(error.to_string()))?;
        let bucket = bucket.ok_or_else(|| refused("not the URL of an object store".to_owned()))?;
        Ok(Arc::new(Patient::new(remote::build(&bucket).map_err(refused)?)))
    }
}

impl ObjectStoreRegistry for EnvironmentStores {
    fn register_store(
        &self,
        url: &Url,
        store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        let mut stores = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stores.insert(Self::key(url), store)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let mut stores = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = stores.get(&Self::key(url)) {
            return Ok(store.clone());
        }
        let store = Self::make(url)?;
        stores.insert(Self::key(url), store.clone());
        Ok(store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_of_known_schemes_are_made_once() {
        let stores = EnvironmentStores::default();
        let file = Url::parse("file:///tmp/lake/events").unwrap();
        let one = stores.get_store(&file).unwrap();
        assert!(Arc::ptr_eq(&one, &stores.get_store(&file).unwrap()));
        for (url, detail) in
            [("https://example.com/x", "not supported"), ("s3://a@b/x", "credentials")]
        {
            let error = stores.get_store(&Url::parse(url).unwrap()).unwrap_err().to_string();
            assert!(error.contains(detail), "{error}");
        }
    }
}
