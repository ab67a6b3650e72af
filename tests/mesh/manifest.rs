//! Kubernetes objects in files.

use serde::Deserialize;
use serde_json::Value;
use support::project;

/// The objects of a namespace after some files have been applied.
#[derive(Debug, Default)]
pub struct Manifest {
    pub objects: Vec<Value>,
}

impl Manifest {
    /// `kubectl apply -f` for each of the files below envoy/.
    pub fn apply(files: &[&str]) -> Self {
        let mut manifest = Self::default();
        for file in files {
            for object in read(file) {
                manifest.delete(kind(&object), name(&object));
                manifest.objects.push(object);
            }
        }
        manifest
    }

    /// `kubectl delete`.
    pub fn delete(&mut self, of_kind: &str, named: &str) {
        self.objects.retain(|object| kind(object) != of_kind || name(object) != named);
    }

    pub fn all(&self, of_kind: &str) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(move |object| kind(object) == of_kind)
    }
}

/// The objects of a file below envoy/.
pub fn read(file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(project().join("envoy").join(file)).unwrap();
    serde_yaml_ng::Deserializer::from_str(&text)
        .map(|document| Value::deserialize(document).unwrap())
        .collect()
}

pub fn kind(object: &Value) -> &str {
    object["kind"].as_str().unwrap()
}

pub fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}

pub fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
