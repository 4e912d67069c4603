//! Objects, behind handles.

use super::value::Value;

metatrace::glue!();

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle(pub usize);

pub enum Object {
    Text(String),
    List(Vec<Value>),
}

/// All objects of a machine; none is ever given back.
#[derive(Default)]
pub struct Heap {
    objects: Vec<Object>,
}

impl Heap {
    pub fn add(&mut self, object: Object) -> Value {
        let handle = Handle(self.objects.len());
        self.objects.push(object);
        Value::object(handle)
    }

    pub fn text(&self, handle: Handle) -> Option<&str> {
        match &self.objects[handle.0] {
            Object::Text(text) => Some(text),
            Object::List(_) => None,
        }
    }

    pub fn list(&self, handle: Handle) -> Option<&Vec<Value>> {
        match &self.objects[handle.0] {
            Object::List(items) => Some(items),
            Object::Text(_) => None,
        }
    }

    pub fn list_mut(&mut self, handle: Handle) -> Option<&mut Vec<Value>> {
        match &mut self.objects[handle.0] {
            Object::List(items) => Some(items),
            Object::Text(_) => None,
        }
    }
}
