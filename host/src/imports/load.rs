//! How large the arguments of a guest's call are.

use langgraph_checkpoint_guest::wit::types;

/// The bytes of values, names and ids, and the elements of lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) bytes: usize,
    pub(super) elements: usize,
}

impl Load {
    /// Adds the size of a part.
    fn with(mut self, part: &impl Brings) -> Self {
        part.add_to(&mut self);
        self
    }
}

/// An argument, or a part of one, whose size counts.
pub(super) trait Brings {
    fn add_to(&self, load: &mut Load);

    fn load(&self) -> Load
    where
        Self: Sized,
    {
        Load::default().with(self)
    }
}

impl<T: Brings> Brings for Vec<T> {
    fn add_to(&self, load: &mut Load) {
        load.elements = load.elements.saturating_add(self.len());
        self.iter().for_each(|element| element.add_to(load));
    }
}

impl Brings for String {
    fn add_to(&self, load: &mut Load) {
        load.bytes = load.bytes.saturating_add(self.len());
    }
}

impl Brings for types::Id {
    fn add_to(&self, load: &mut Load) {
        match self {
            Self::Text(text) | Self::Unsupported(text) => text.add_to(load),
            Self::Absent | Self::Number(_) => {}
        }
    }
}

impl Brings for types::Config {
    fn add_to(&self, load: &mut Load) {
        let ids = [&self.thread_id, &self.checkpoint_ns, &self.checkpoint_id, &self.thread_ts];
        ids.into_iter().for_each(|id| id.add_to(load));
    }
}

impl Brings for types::Payload {
    fn add_to(&self, load: &mut Load) {
        self.kind.add_to(load);
        load.bytes = load.bytes.saturating_add(self.bytes.len());
    }
}

impl Brings for types::ChannelVersion {
    fn add_to(&self, load: &mut Load) {
        self.channel.add_to(load);
        match &self.version {
            types::Version::Text(text) => text.add_to(load),
            types::Version::Number(_) => {}
        }
    }
}

impl Brings for types::ChannelValue {
    fn add_to(&self, load: &mut Load) {
        self.channel.add_to(load);
        self.value.add_to(load);
    }
}

impl Brings for types::NewWrite {
    fn add_to(&self, load: &mut Load) {
        self.channel.add_to(load);
        self.value.add_to(load);
    }
}

impl Brings for types::MetadataFilter {
    fn add_to(&self, load: &mut Load) {
        self.key.add_to(load);
        self.json.add_to(load);
    }
}

impl Brings for types::PutCall {
    fn add_to(&self, load: &mut Load) {
        self.config.add_to(load);
        self.checkpoint.id.add_to(load);
        self.checkpoint.ts.add_to(load);
        self.checkpoint.channel_versions.add_to(load);
        self.checkpoint.channel_values.add_to(load);
        self.checkpoint.rest.add_to(load);
        self.metadata.add_to(load);
        self.new_versions.add_to(load);
        self.run_id.add_to(load);
    }
}

impl Brings for types::PutWritesCall {
    fn add_to(&self, load: &mut Load) {
        self.config.add_to(load);
        self.writes.add_to(load);
        self.task_id.add_to(load);
        self.task_path.add_to(load);
    }
}

impl Brings for types::ListCall {
    fn add_to(&self, load: &mut Load) {
        self.config.add_to(load);
        self.before.add_to(load);
        self.filter.add_to(load);
        if let Some(resume) = &self.resume {
            load.bytes = load.bytes.saturating_add(resume.len());
        }
    }
}

/// The arguments of a call with two.
impl<A: Brings, B: Brings> Brings for (&A, &B) {
    fn add_to(&self, load: &mut Load) {
        self.0.add_to(load);
        self.1.add_to(load);
    }
}
