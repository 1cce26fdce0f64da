//! What was read in this run: each list is fetched once and shared by all who ask.
use crate::Result;
use std::{
    any::Any,
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tokio::sync::OnceCell;

type Slot = Arc<OnceCell<Arc<dyn Any + Send + Sync>>>;

/// Lists by name. A failed fetch is not remembered.
#[derive(Default)]
pub(super) struct Memory(Mutex<HashMap<String, Slot>>);

impl Memory {
    pub(super) async fn once<T: Send + Sync + 'static>(
        &self,
        key: String,
        load: impl Future<Output = Result<T>>,
    ) -> Result<Arc<T>> {
        let slot = self.0.lock().expect("no code panics while it holds this lock").entry(key).or_default().clone();
        let value =
            slot.get_or_try_init(|| async { load.await.map(|v| Arc::new(v) as Arc<dyn Any + Send + Sync>) }).await?;
        Ok(value.clone().downcast().expect("a key names one type of list"))
    }
    pub(super) fn put<T: Send + Sync + 'static>(&self, key: String, value: T) {
        let slot = OnceCell::new_with(Some(Arc::new(value) as Arc<dyn Any + Send + Sync>));
        self.0.lock().expect("no code panics while it holds this lock").insert(key, Arc::new(slot));
    }
    pub(super) fn forget(&self) {
        self.0.lock().expect("no code panics while it holds this lock").clear();
    }
}
