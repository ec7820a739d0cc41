//! What an operator sees: one span for each operation, always with the same fields, never a value.

mod support;

use std::sync::{Arc, Mutex};

use langgraph_checkpoint_host::{Checkpointer, Config, Planner, SqliteOptions, SqliteStorage};
use support::{config, put};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Every field of every span and event, as `name=value`, in order.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.lock().unwrap().push(format!("{}={value:?}", field.name()));
    }
}

impl Subscriber for Seen {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("langgraph_checkpoint_host")
    }
    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        attributes.record(&mut self.clone());
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, record: &Record<'_>) {
        record.record(&mut self.clone());
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The names of the fields, without their values.
fn names(fields: &[String]) -> Vec<&str> {
    fields.iter().map(|field| field.split('=').next().unwrap()).collect()
}

#[tokio::test]
async fn an_operation_is_a_span_with_its_call_its_rounds_and_no_value() {
    let storage = SqliteStorage::in_memory(&SqliteOptions::default()).unwrap();
    let checkpointer = Checkpointer::new(Planner::native(), storage);
    let seen = Seen::default();
    let _default = tracing::subscriber::set_default(seen.clone());
    checkpointer.put(put("t", None, "c1", "\"a secret\"")).await.unwrap();
    let fields = seen.take();
    assert_eq!(names(&fields), ["call", "rounds", "statements"].repeat(2));
    assert_eq!((&*fields[0], &*fields[3]), ("call=\"setup\"", "call=\"put\""));
    assert!(fields.iter().all(|field| !field.contains("secret")), "{fields:?}");

    checkpointer.get_tuple(config("t")).await.unwrap();
    assert_eq!(seen.take()[0], "call=\"get_tuple\"");

    let unnamed = langgraph_checkpoint_host::Put {
        config: Config::default(),
        ..put("t", None, "c1", "\"a secret\"")
    };
    let error = checkpointer.put(unnamed).await.unwrap_err();
    assert_eq!(seen.take(), ["call=\"put\"".to_owned(), format!("code={:?}", error.code())]);
}
