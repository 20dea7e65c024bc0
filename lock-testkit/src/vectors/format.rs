//! The files of `docs/spec`: what they say, read strictly.

use std::{
    fs,
    path::{Path, PathBuf},
};

use leasehold::Capability;
use serde::Deserialize;

use super::step::{RawStep, Step};

/// The version of the format that is read.
const VERSION: u32 = 1;

/// A file that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum VectorError {
    /// It is not there, or not readable.
    #[error("can't read `{path}`")]
    Read {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It does not follow the format; the source says the line and the column.
    #[error("not a file of outcome vectors: `{path}`")]
    Format {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// It has another version.
    #[error("version {found} of `{path}` is not the known one, {VERSION}")]
    Version {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// A value in it is out of bounds.
    #[error("a bad value in vector `{vector}`")]
    Value {
        /// Which vector.
        vector: String,
        /// Why.
        source: leasehold::Error,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    topic: String,
    vectors: Vec<Body>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    name: String,
    #[serde(default)]
    needs: Vec<String>,
    steps: Vec<RawStep>,
}

/// One vector: steps from the empty state, each with what must come of it.
#[derive(Clone, Debug)]
pub struct Vector {
    topic: String,
    name: String,
    needs: Vec<String>,
    pub(super) steps: Vec<Step>,
}

impl Vector {
    /// Every vector of every `.json` file in `folder`, in the order of the files' names.
    ///
    /// # Errors
    /// A file that can't be read, or does not follow the format.
    pub fn read_all(folder: impl AsRef<Path>) -> Result<Vec<Self>, VectorError> {
        let folder = folder.as_ref();
        let failed = |source| VectorError::Read { path: folder.to_owned(), source };
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            paths.push(entry.map_err(failed)?.path());
        }
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort_unstable();
        let mut vectors = Vec::new();
        for path in paths {
            vectors.extend(Self::read(&path)?);
        }
        Ok(vectors)
    }

    /// Every vector of one file.
    ///
    /// # Errors
    /// As [`read_all`](Self::read_all).
    pub fn read(path: impl AsRef<Path>) -> Result<Vec<Self>, VectorError> {
        let path = path.as_ref().to_owned();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(VectorError::Read { path, source }),
        };
        let file: File = match serde_json::from_str(&text) {
            Ok(file) => file,
            Err(source) => return Err(VectorError::Format { path, source }),
        };
        if file.version != VERSION {
            return Err(VectorError::Version { path, found: file.version });
        }
        let topic = file.topic;
        file.vectors.into_iter().map(|body| Self::new(&topic, body)).collect()
    }

    fn new(topic: &str, body: Body) -> Result<Self, VectorError> {
        let steps = body.steps.into_iter().map(Step::new).collect::<leasehold::Result<_>>();
        match steps {
            Ok(steps) => {
                let (topic, name, needs) = (topic.to_owned(), body.name, body.needs);
                Ok(Self { topic, name, needs, steps })
            }
            Err(source) => Err(VectorError::Value { vector: body.name, source }),
        }
    }

    /// What its file is about.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// What it shows, as a sentence.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many steps it has.
    #[must_use]
    pub const fn steps(&self) -> usize {
        self.steps.len()
    }

    /// What an implementation must be able to do for it.
    pub fn needs(&self) -> impl Iterator<Item = Capability> {
        let named =
            |capability: &Capability| self.needs.iter().any(|name| name == capability.name());
        Capability::ALL.into_iter().filter(named)
    }
}
