//! What stands in a graph without being made by it.
use aws_core::{
    Result,
    cloud::Cloud,
    engine::{Cx, Identity, Needs},
};

/// Something that others made, by a name of its own: it is there, and not ours to write.
#[derive(Clone, Needs)]
pub(crate) struct Given<T>(pub(crate) &'static str, pub(crate) T);
impl<T: Clone + Send + Sync + 'static> Identity for Given<T> {
    const KIND: &'static str = "given";
    type Cloud = Cloud;
    type Live = ();
    type Output = T;
    fn name(&self) -> String {
        self.0.into()
    }
    async fn find(&self, _: &Cx<'_, Cloud>) -> Result<Option<()>> {
        Ok(Some(()))
    }
    async fn remove(&self, _: &Cx<'_, Cloud>, (): &()) -> Result<()> {
        unreachable!("it is not ours")
    }
    fn output(&self, (): &()) -> T {
        self.1.clone()
    }
}
