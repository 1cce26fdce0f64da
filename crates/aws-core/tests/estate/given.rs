//! What stands in a graph without being made by it.
use aws_core::{
    Result,
    cloud::Cloud,
    engine::{Change, Cx, Ownership, Resource},
};

/// Something that others made, by a name of its own: it is there, and not ours to write.
pub(crate) struct Given<T>(pub(crate) &'static str, pub(crate) T);
impl<T: Clone + Send + Sync + 'static> Resource for Given<T> {
    const KIND: &'static str = "given";
    type Cloud = Cloud;
    type Live = ();
    type Output = T;
    fn name(&self) -> String {
        self.0.into()
    }
    fn ownership(&self) -> Ownership {
        Ownership::Existing
    }
    fn check(&self) -> aws_core::Result<()> {
        Ok(())
    }
    async fn find(&self, _: &Cx<'_, Cloud>) -> Result<Option<()>> {
        Ok(Some(()))
    }
    fn diff(&self, _: &Cx<'_, Cloud>, (): &()) -> Vec<Change> {
        Vec::new()
    }
    async fn create(&self, _: &Cx<'_, Cloud>) -> Result<()> {
        unreachable!("it is there")
    }
    async fn update(&self, _: &Cx<'_, Cloud>, (): &(), _: &[Change]) -> Result<()> {
        unreachable!("it is not ours")
    }
    async fn delete(&self, _: &Cx<'_, Cloud>, (): &()) -> Result<()> {
        unreachable!("it is not ours")
    }
    fn output(&self, (): &()) -> T {
        self.1.clone()
    }
}
