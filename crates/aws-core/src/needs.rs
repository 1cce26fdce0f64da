//! Which nodes a value refers to: found in its fields by `#[derive(Needs)]`. A test holds that what refers to one derives it.
use crate::engine::{NodeId, Ref};

/// Refers to nodes of a graph, in whichever of its fields. Derived.
pub trait Needs {
    /// Adds them.
    fn add_needs(&self, nodes: &mut Vec<NodeId>);
    /// All of them.
    fn needs(&self) -> Vec<NodeId> {
        let mut nodes = Vec::new();
        self.add_needs(&mut nodes);
        nodes
    }
}

impl Needs for NodeId {
    fn add_needs(&self, nodes: &mut Vec<NodeId>) {
        nodes.push(*self);
    }
}
impl<T: 'static> Needs for Ref<T> {
    fn add_needs(&self, nodes: &mut Vec<NodeId>) {
        nodes.push(self.node());
    }
}
impl<T: Needs> Needs for Option<T> {
    fn add_needs(&self, nodes: &mut Vec<NodeId>) {
        self.iter().for_each(|t| t.add_needs(nodes));
    }
}
impl<T: Needs> Needs for Vec<T> {
    fn add_needs(&self, nodes: &mut Vec<NodeId>) {
        self.iter().for_each(|t| t.add_needs(nodes));
    }
}
impl<A: Needs, B: Needs> Needs for (A, B) {
    fn add_needs(&self, nodes: &mut Vec<NodeId>) {
        self.0.add_needs(nodes);
        self.1.add_needs(nodes);
    }
}

// What the derive expands to asks every field, of whichever type. Of two methods of one name the compiler takes the one that
// needs no further reference: `Referring` where the field's type is `Needs`, else `Other`.

/// A field of a type that derives [`Needs`].
#[doc(hidden)]
pub struct Field<'a, T>(pub &'a T);

/// Of a field that refers to nodes.
#[doc(hidden)]
pub trait Referring {
    fn add(&self, nodes: &mut Vec<NodeId>);
}
impl<T: Needs> Referring for Field<'_, T> {
    fn add(&self, nodes: &mut Vec<NodeId>) {
        self.0.add_needs(nodes);
    }
}

/// Of any other field.
#[doc(hidden)]
pub trait Other {
    fn add(&self, _: &mut Vec<NodeId>) {}
}
impl<T> Other for &Field<'_, T> {}
