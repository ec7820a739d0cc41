//! Where operations run: in the component, or natively.

use langgraph_checkpoint_guest as guest;
use langgraph_checkpoint_guest::{Answer, Call, Progress};

#[cfg(feature = "component")]
use crate::component;
use crate::error::Error;
use crate::storage::Dialect;

/// The rules of the checkpointer, ready to run operations. Cloning is cheap, and clones share their
/// instances.
#[derive(Clone, Debug)]
pub struct Planner(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Native,
    #[cfg(feature = "component")]
    Component(std::sync::Arc<component::Pool>),
}

impl Planner {
    /// Runs operations as native code of this process, without limits on memory and time.
    pub fn native() -> Self {
        Self(Kind::Native)
    }

    /// Compiles the component that this crate contains, once.
    #[cfg(feature = "embedded")]
    pub fn embedded(limits: component::Limits) -> Result<Self, Error> {
        let bytes = include_bytes!(concat!(env!("OUT_DIR"), "/planner.wasm"));
        Self::from_bytes(component::embedded(bytes)?, limits)
    }

    /// Compiles the component `planner.wasm` from its bytes, once.
    #[cfg(feature = "compiler")]
    pub fn from_bytes(bytes: &[u8], limits: component::Limits) -> Result<Self, Error> {
        let pool = component::Pool::new(bytes, limits)?;
        Ok(Self(Kind::Component(std::sync::Arc::new(pool))))
    }

    /// Compiles the component `planner.wasm` from its file, once.
    #[cfg(feature = "compiler")]
    pub fn from_file(
        path: impl AsRef<std::path::Path>,
        limits: component::Limits,
    ) -> Result<Self, Error> {
        Self::from_bytes(&component::read(path.as_ref())?, limits)
    }

    /// Compiles the component ahead of time. Returns machine code for
    /// [`Planner::from_precompiled`], which needs no compiler and is hundreds of times faster than
    /// compiling.
    #[cfg(feature = "compiler")]
    pub fn precompile(bytes: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(component::precompile(bytes, None)?)
    }

    /// The same for every machine of a target, which is named as Rust names it
    /// (`x86_64-unknown-linux-gnu`). On x86-64 that is every one with SSE4.2 (x86-64-v2).
    #[cfg(feature = "compiler")]
    pub fn precompile_for(bytes: &[u8], target: &str) -> Result<Vec<u8>, Error> {
        Ok(component::precompile(bytes, Some(target))?)
    }

    /// Loads what `Planner::precompile` returned on the same kind of machine. The output of another
    /// major version of wasmtime is refused.
    ///
    /// # Safety
    ///
    /// The bytes run as machine code of this process, and nothing detects changes in them. They
    /// must be what `precompile` returned, from a place that nobody else can write to.
    #[cfg(feature = "component")]
    #[allow(unsafe_code, reason = "only the caller can know where the bytes come from")]
    pub unsafe fn from_precompiled(bytes: &[u8], limits: component::Limits) -> Result<Self, Error> {
        // SAFETY: the caller's promise is passed on.
        let pool = unsafe { component::Pool::from_precompiled(bytes, limits) }?;
        Ok(Self(Kind::Component(std::sync::Arc::new(pool))))
    }

    /// The turns of one checkpointer's calls.
    pub(crate) fn turns(&self) -> Turns {
        match &self.0 {
            Kind::Native => Turns::default(),
            #[cfg(feature = "component")]
            Kind::Component(pool) => Turns(Some(pool.places_of_one())),
        }
    }

    pub(crate) async fn start(
        &self,
        dialect: &Dialect,
        call: Call,
    ) -> Result<(Operation, Progress), Error> {
        match &self.0 {
            Kind::Native => {
                let (operation, progress) = Native::start(dialect, call)?;
                Ok((Operation::Native(Box::new(operation)), progress))
            }
            #[cfg(feature = "component")]
            Kind::Component(pool) => {
                let (operation, progress) = pool.start(dialect, call).await?;
                Ok((Operation::Component(Box::new(operation)), progress))
            }
        }
    }
}

/// What one checkpointer's calls take turns on. Native calls do not wait.
#[derive(Debug, Default)]
pub(crate) struct Turns(#[cfg(feature = "component")] Option<component::places::Places>);

/// A turn. It ends when it is dropped.
pub(crate) struct Turn {
    #[cfg(feature = "component")]
    _place: Option<component::places::Place>,
}

impl Turns {
    #[cfg_attr(not(feature = "component"), allow(clippy::unused_async, reason = "nothing waits"))]
    pub(crate) async fn take(&self) -> Result<Turn, Error> {
        #[cfg(feature = "component")]
        let place = match &self.0 {
            Some(places) => Some(places.take().await?),
            None => None,
        };
        Ok(Turn {
            #[cfg(feature = "component")]
            _place: place,
        })
    }
}

/// One call under way. Dropping it ends the call and drops its instance; `finish` keeps the
/// instance.
pub(crate) enum Operation {
    Native(Box<Native>),
    #[cfg(feature = "component")]
    Component(Box<component::Operation>),
}

impl Operation {
    pub(crate) async fn advance(&mut self, answer: Answer) -> Result<Progress, Error> {
        match self {
            Self::Native(operation) => Ok(operation.advance(answer)?),
            #[cfg(feature = "component")]
            Self::Component(operation) => operation.advance(answer).await,
        }
    }

    pub(crate) async fn finish(self) {
        match self {
            Self::Native(_) => {}
            #[cfg(feature = "component")]
            Self::Component(operation) => operation.finish().await,
        }
    }
}

/// An operation as native code. It may be moved between threads.
pub(crate) enum Native {
    Sqlite(guest::SqliteOperation),
    Postgres(guest::PostgresOperation),
}

impl Native {
    fn start(dialect: &Dialect, call: Call) -> Result<(Self, Progress), guest::Error> {
        if let guest::Store::Postgres(store) = dialect.store()? {
            let (operation, progress) = guest::PostgresOperation::start(&store, call)?;
            return Ok((Self::Postgres(operation), progress));
        }
        let (operation, progress) = guest::SqliteOperation::start(call)?;
        Ok((Self::Sqlite(operation), progress))
    }

    fn advance(&mut self, answer: Answer) -> Result<Progress, guest::Error> {
        match self {
            Self::Sqlite(operation) => operation.advance(answer),
            Self::Postgres(operation) => operation.advance(answer),
        }
    }
}
