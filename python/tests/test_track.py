"""What is remembered of values changes no outcome: only what it costs."""

from __future__ import annotations

import collections
import copy
import datetime
import sqlite3
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    AnyMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import _DeltaSnapshot

from langgraph_checkpoint_wasm import SqliteSaver
from langgraph_checkpoint_wasm.errors import SerializationError

from . import states
from .states import config


@dataclass
class Document:
    """A class that no snapshot knows."""

    text: str
    tags: list[str]


PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=True),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
    st.binary(max_size=200),
)
OTHER = st.one_of(
    st.datetimes(),
    st.uuids(),
    st.decimals(allow_nan=False),
    st.frozensets(st.integers(0, 9), max_size=1),
    st.builds(Document, st.text("ab", max_size=99), st.lists(st.text("ab"), max_size=2)),
)
KEYS = st.text("abc", max_size=3)


def nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.dictionaries(KEYS, inner, max_size=4),
            st.lists(inner, max_size=2).map(tuple),
        ),
        max_leaves=8,
    )


VALUES = nested(st.one_of(PLAIN, OTHER))
CONTENT = st.one_of(
    st.text("xyz ", max_size=300),
    st.lists(st.dictionaries(KEYS, st.text("xy"), max_size=2), max_size=2),
)
EXTRA = st.dictionaries(KEYS, nested(PLAIN), max_size=2)
CALLS = st.lists(
    st.builds(
        lambda name, args, id: {"name": name, "args": args, "id": id, "type": "tool_call"},
        KEYS,
        st.dictionaries(KEYS, nested(PLAIN), max_size=2),
        KEYS,
    ),
    max_size=2,
)


def fields(**strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(strategies)


MESSAGES: st.SearchStrategy[AnyMessage] = st.one_of(
    fields(content=CONTENT, id=KEYS, additional_kwargs=EXTRA).map(lambda f: HumanMessage(**f)),
    fields(content=CONTENT, id=KEYS, tool_calls=CALLS, response_metadata=EXTRA).map(
        lambda f: AIMessage(**f)
    ),
    fields(content=CONTENT).map(lambda f: SystemMessage(**f)),
    fields(content=CONTENT, tool_call_id=KEYS, artifact=VALUES).map(lambda f: ToolMessage(**f)),
    KEYS.map(lambda id: RemoveMessage(id=id)),
    fields(content=CONTENT, unknown=VALUES).map(lambda f: HumanMessage(**f)),
)
DELTAS = st.one_of(VALUES, st.lists(MESSAGES, max_size=3)).map(_DeltaSnapshot)
PARTS = st.one_of(MESSAGES, VALUES, DELTAS)
CHANNELS = ["messages", "files", "note"]


def shown(value: Any) -> object:
    """Return a value as something that `==` compares exactly."""
    if isinstance(value, dict):
        return [(shown(key), shown(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [type(value), [shown(item) for item in value]]
    if hasattr(value, "model_dump"):
        private = getattr(value, "__pydantic_private__", None)
        fields = sorted(value.__pydantic_fields_set__)
        extra = getattr(value, "__pydantic_extra__", None)
        return [type(value), shown(value.__dict__), shown(extra), fields, private]
    return [type(value), repr(value)]


class Thread(RuleBasedStateMachine):
    """A thread that is edited in place, put, and read by a saver that remembers it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(self.make_folder())
        self.saver = SqliteSaver(self.folder / "a.db", synchronous="normal")
        self.state: dict[str, Any] = {"messages": [], "files": {}, "note": None}
        self.step = 0

    make_folder: Callable[[], str] = staticmethod(lambda: "")

    def teardown(self) -> None:
        self.saver.close()

    @rule(part=PARTS)
    def append(self, part: object) -> None:
        self.state["messages"].append(part)

    @rule(parts=st.lists(PARTS, max_size=8))
    def replace(self, parts: list[object]) -> None:
        self.state["messages"] = parts

    @rule(at=st.integers(0, 9), part=PARTS)
    def edit(self, at: int, part: object) -> None:
        if at < len(self.state["messages"]):
            self.state["messages"][at] = part

    @rule(at=st.integers(0, 9))
    def remove(self, at: int) -> None:
        del self.state["messages"][at : at + 1]

    @rule(key=KEYS, part=PARTS)
    def write_file(self, key: str, part: object) -> None:
        self.state["files"][key] = part

    @rule(note=VALUES)
    def note(self, note: object) -> None:
        self.state["note"] = note

    @rule(at=st.integers(0, 9), text=st.text("pq", max_size=5), data=st.data())
    def change_in_place(self, at: int, text: str, data: st.DataObject) -> None:
        if at >= len(self.state["messages"]):
            return
        part = self.state["messages"][at]
        if isinstance(part, list):
            part.append(text)
        elif isinstance(part, dict):
            part[text] = text
        elif isinstance(part, Document):
            part.tags.append(text)
        elif isinstance(part, AIMessage) and part.tool_calls:
            part.tool_calls[0]["args"][text] = text
        elif isinstance(part, (HumanMessage, AIMessage, ToolMessage)):
            ways = ["content", "additional_kwargs", "extra", "id"]
            way = data.draw(st.sampled_from(ways))
            if way == "extra" and part.__pydantic_extra__ is not None:
                part.__pydantic_extra__[text] = text
            elif way == "additional_kwargs":
                part.additional_kwargs[text] = [text]
            else:
                setattr(part, "id" if way == "id" else "content", text)

    @rule()
    def put(self) -> None:
        self.step += 1
        values = dict(self.state)
        put(self.saver, self.step, values)
        stored = JsonPlusSerializer()
        expected = {name: stored.loads_typed(stored.dumps_typed(v)) for name, v in values.items()}
        with SqliteSaver(self.folder / "a.db") as other:
            cold = other.get_tuple(config("t"))
        assert cold is not None
        assert shown(cold.checkpoint["channel_values"]) == shown(expected)

    @rule()
    def get(self) -> None:
        warm = self.saver.get_tuple(config("t"))
        with SqliteSaver(self.folder / "a.db") as other:
            cold = other.get_tuple(config("t"))
        if warm is None or cold is None:
            assert warm is cold
            return
        values = warm.checkpoint["channel_values"]
        assert shown(values) == shown(cold.checkpoint["channel_values"])
        self.state = values


def test_a_remembered_thread_is_stored_and_read_as_a_forgotten_one(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    Thread.make_folder = staticmethod(lambda: str(tmp_path_factory.mktemp("thread")))
    case = Thread.TestCase
    case.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
    case("runTest").runTest()


def test_what_is_read_shares_nothing_that_can_be_changed(tmp_path: Path) -> None:
    with SqliteSaver(tmp_path / "a.db") as saver:
        put(saver, 1, {"messages": [AIMessage("a" * 200, tool_calls=[CALL])], "files": {"f": [1]}})
        for _ in range(3):
            found = saver.get_tuple(config("t"))
            assert found is not None
            values = found.checkpoint["channel_values"]
            assert values["messages"][0].tool_calls[0]["args"] == {}
            assert values["files"] == {"f": [1]}
            values["messages"][0].tool_calls[0]["args"]["changed"] = True
            values["messages"].append("more")
            values["files"]["f"].append(2)


def test_what_was_put_is_read_as_the_serializer_reads_it(tmp_path: Path) -> None:
    with SqliteSaver(tmp_path / "a.db") as saver:
        put(saver, 1, {"pair": (1, 2), "many": [(1, 2), {"at": (3,)}]})
        for _ in range(2):
            found = saver.get_tuple(config("t"))
            assert found is not None
            values = found.checkpoint["channel_values"]
            assert values == {"pair": [1, 2], "many": [[1, 2], {"at": [3]}]}


def test_an_append_writes_what_is_new(tmp_path: Path) -> None:
    messages = [HumanMessage(f"{at} " * 200, id=str(at)) for at in range(200)]
    states: list[dict[str, Any]] = [
        {"messages": messages},
        {"messages": [*messages, HumanMessage("new " * 200)]},
    ]
    assert chunks(tmp_path / "b.db", states) - chunks(tmp_path / "a.db", states[:1]) <= 3


@pytest.mark.parametrize(
    "change",
    [
        lambda message: setattr(message, "content", "changed"),
        lambda message: setattr(message, "content", [{"type": "text", "text": "changed"}]),
        lambda message: setattr(message, "id", "changed"),
        lambda message: setattr(message, "name", "changed"),
        lambda message: message.additional_kwargs.__setitem__("changed", [1]),
        lambda message: message.additional_kwargs["deep"]["list"].append("changed"),
        lambda message: message.response_metadata.update(changed=1.0),
        lambda message: message.tool_calls[0]["args"].__setitem__("n", 1.0),
        lambda message: message.tool_calls.append({**CALL, "id": "2"}),
        lambda message: message.usage_metadata.__setitem__("input_tokens", 2),
        lambda message: message.__pydantic_extra__.__setitem__("changed", "changed"),
        lambda message: message.__dict__.__setitem__("content", "changed"),
    ],
)
def test_a_change_in_place_is_stored(change: Callable[[AIMessage], object], tmp_path: Path) -> None:
    message = AIMessage(
        "long " * 100,
        id="1",
        tool_calls=[{**CALL, "args": {"n": 1}}],
        additional_kwargs={"deep": {"list": ["a"]}},
        usage_metadata={"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
        other="extra",
    )
    messages = [HumanMessage("before " * 50), message, HumanMessage("after " * 50)]
    with SqliteSaver(tmp_path / "a.db") as saver:
        put(saver, 1, {"messages": messages})
        change(message)
        put(saver, 2, {"messages": messages})
        serde = JsonPlusSerializer()
        expected = serde.loads_typed(serde.dumps_typed(messages))
        found = saver.get_tuple(config("t"))
        assert found is not None
        assert shown(found.checkpoint["channel_values"]["messages"]) == shown(expected)


def test_a_value_of_the_same_kind_that_is_serialized_differently_is_stored(tmp_path: Path) -> None:
    zone = datetime.timezone(datetime.timedelta(hours=1))
    pairs: list[tuple[Any, Any]] = [
        (0.0, -0.0),
        (1, True),
        (1, 1.0),
        ("1", 1),
        (
            datetime.datetime(2030, 1, 1, 1, tzinfo=zone),
            datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc),
        ),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (uuid.UUID(int=1), str(uuid.UUID(int=1))),
    ]
    with SqliteSaver(tmp_path / "a.db") as saver:
        for step, (one, other) in enumerate(pairs):
            put(saver, 2 * step + 1, {"one": one, "list": ["x" * 300, one]})
            put(saver, 2 * step + 2, {"one": other, "list": ["x" * 300, other]})
            found = saver.get_tuple(config("t"))
            assert found is not None
            values = found.checkpoint["channel_values"]
            assert shown(values) == shown({"one": other, "list": ["x" * 300, other]})


LONG = "x" * 200


@pytest.mark.parametrize(
    "one",
    [
        (LONG, 1),
        {1: LONG},
        collections.OrderedDict(a=LONG),
        collections.defaultdict(list, a=[LONG]),
        type("Names", (list,), {})([LONG]),
        [LONG],
        {"a": LONG},
        LONG,
        ((LONG,), {"a": [LONG]}),
    ],
    ids=lambda one: type(one).__name__,
)
@pytest.mark.parametrize(
    "other",
    [None, 5, b"abc", "text" * 50, (LONG, 2), {1: LONG, 2: 3}, [LONG, 2], {"a": LONG, "b": 2}, []],
    ids=lambda other: type(other).__name__,
)
def test_a_value_of_any_shape_replaces_one_of_any_other(
    one: object, other: object, tmp_path: Path
) -> None:
    serde = JsonPlusSerializer()
    with SqliteSaver(tmp_path / "a.db") as saver:
        for step, value in enumerate([one, other, one, one, other], 1):
            put(saver, step, {"value": value})
            with SqliteSaver(tmp_path / "a.db") as cold:
                found = cold.get_tuple(config("t"))
            assert found is not None
            expected = serde.loads_typed(serde.dumps_typed(value))
            assert shown(found.checkpoint["channel_values"]["value"]) == shown(expected)


def test_what_pickle_keeps_is_kept(tmp_path: Path) -> None:
    shared = ["shared"]
    serde = JsonPlusSerializer(pickle_fallback=True)
    with SqliteSaver(tmp_path / "a.db", serde=serde) as saver:
        put(saver, 1, {"value": [2**70, shared, shared]})
        for _ in range(3):
            found = saver.get_tuple(config("t"))
            assert found is not None
            value = found.checkpoint["channel_values"]["value"]
            assert value[1] is value[2]


def test_a_put_over_a_deleted_thread_stores_what_was_put(tmp_path: Path) -> None:
    messages = [HumanMessage(f"{at} " * 200) for at in range(20)]
    with SqliteSaver(tmp_path / "a.db") as saver, SqliteSaver(tmp_path / "a.db") as other:
        put(saver, 1, {"messages": messages})
        other.delete_thread("t")
        put(saver, 2, {"messages": [*messages, Document("opaque", [])]})
        found = other.get_tuple(config("t"))
        assert found is not None
        assert len(found.checkpoint["channel_values"]["messages"]) == 21


def test_encrypted_values_that_are_unchanged_are_not_stored_again(tmp_path: Path) -> None:
    serde = EncryptedSerializer.from_pycryptodome_aes(key=b"1" * 16)
    messages = [HumanMessage("long " * 2000)]
    states: list[dict[str, Any]] = [{"messages": messages}, {"messages": messages, "note": "n"}]
    more = chunks(tmp_path / "b.db", states, serde) - chunks(tmp_path / "a.db", states[:1], serde)
    assert more <= 1
    with SqliteSaver(tmp_path / "b.db", serde=serde) as saver:
        found = saver.get_tuple(config("t"))
        assert found is not None
        assert found.checkpoint["channel_values"]["messages"][0].content == "long " * 2000


def test_a_saver_that_may_remember_nothing_stores_the_same(tmp_path: Path) -> None:
    with SqliteSaver(tmp_path / "a.db", cache_bytes=0) as saver:
        for step in range(1, 4):
            put(saver, step, {"messages": ["x" * 300] * step})
        found = saver.get_tuple(config("t"))
        assert found is not None
        assert found.checkpoint["channel_values"] == {"messages": ["x" * 300] * 3}


def test_a_copy_with_another_allowlist_reads_by_its_own(tmp_path: Path) -> None:
    serde = JsonPlusSerializer(allowed_msgpack_modules=None)
    with SqliteSaver(tmp_path / "a.db", serde=serde) as saver:
        put(saver, 1, {"documents": [Document("text", [])]})
        allowing = saver.with_allowlist([(Document.__module__, Document.__name__)])
        for _ in range(2):
            strict, lenient = saver.get_tuple(config("t")), allowing.get_tuple(config("t"))
            assert strict is not None
            assert lenient is not None
            assert not isinstance(strict.checkpoint["channel_values"]["documents"][0], Document)
            assert isinstance(lenient.checkpoint["channel_values"]["documents"][0], Document)


class Seeing(JsonPlusSerializer):
    """Keeps what it is given to read."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, bytes]] = []

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        self.seen.append(data)
        return None if data[0] == "pickle" else super().loads_typed(data)


def usage(**details: int) -> dict[str, Any]:
    counts = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    return {**counts, "input_token_details": details}


ODD = st.dictionaries(st.sampled_from(["name", "args", "id", "type", "extra"]), nested(PLAIN))
CHANGES: st.SearchStrategy[dict[str, Any]] = fields(
    tool_calls=st.lists(ODD, max_size=2),
    invalid_tool_calls=st.lists(ODD, max_size=1),
    usage_metadata=st.one_of(st.none(), st.just(usage(audio=1)), st.just(usage(other=2))),
    additional_kwargs=st.dictionaries(KEYS, st.one_of(VALUES, MESSAGES), max_size=2),
    content=st.one_of(CONTENT, nested(PLAIN)),
)


def changed(fields: dict[str, Any], chunk: bool) -> AIMessage:
    """Return a message whose fields nobody has validated."""
    message = AIMessageChunk(content="") if chunk else AIMessage("")
    message.__dict__.update(fields)
    return message


@pytest.fixture(scope="module")
def every_class_is_packed() -> None:
    """Store a message of each class twice: the first is only compared."""
    values: list[Any] = [0, {}, RemoveMessage(id="1"), _DeltaSnapshot([])]
    classes = (HumanMessage, SystemMessage, AIMessage, AIMessageChunk)
    values += [*(message(content="") for message in classes), ToolMessage("", tool_call_id="1")]
    for value in values:
        with SqliteSaver(":memory:") as saver:
            put(saver, 1, {"value": value, "list": [value]})


@pytest.mark.usefixtures("every_class_is_packed")
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@given(
    value=nested(
        st.one_of(PLAIN, OTHER, MESSAGES, DELTAS, st.builds(changed, CHANGES, st.booleans()))
    )
)
@settings(max_examples=300, deadline=None)
def test_the_bytes_stored_are_the_serializers(value: object) -> None:
    is_stored_as_the_serializer_writes_it(value)


def unknown_attribute(message: AIMessage) -> None:
    object.__setattr__(message, "unknown", 1)


def shadowed_method(message: AIMessage) -> None:
    message.__dict__["model_dump"] = "no method"


def extra_of_a_field(message: AIMessage) -> None:
    object.__setattr__(message, "__pydantic_extra__", {"content": "extra", "more": 1})


def missing_field(message: AIMessage) -> None:
    del message.__dict__["id"]


def other_order(message: AIMessage) -> None:
    message.__dict__["content"] = message.__dict__.pop("content")


@pytest.mark.usefixtures("every_class_is_packed")
@pytest.mark.parametrize(
    "change",
    [unknown_attribute, shadowed_method, extra_of_a_field, missing_field, other_order],
    ids=lambda change: change.__name__,
)
def test_odd_attributes_of_a_message_are_stored_as_the_serializer_writes_them(
    change: Callable[[AIMessage], None],
) -> None:
    message = AIMessage("text")
    change(message)
    is_stored_as_the_serializer_writes_it(message)


@pytest.mark.usefixtures("every_class_is_packed")
def test_a_replaced_model_dump_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AIMessage, "model_dump", lambda message: {"content": "replaced"})
    is_stored_as_the_serializer_writes_it(AIMessage("text"))


@pytest.mark.usefixtures("every_class_is_packed")
def test_replaced_methods_of_a_serializer_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    serde, own = JsonPlusSerializer(), JsonPlusSerializer()
    written: list[object] = []

    def dumps_typed(value: object) -> tuple[str, bytes]:
        written.append(value)
        kind, data = own.dumps_typed(value)
        return kind, data[::-1]

    monkeypatch.setattr(serde, "dumps_typed", dumps_typed)
    monkeypatch.setattr(
        serde, "loads_typed", lambda payload: own.loads_typed((payload[0], payload[1][::-1]))
    )
    with SqliteSaver(":memory:", serde=serde) as saver:
        put(saver, 1, {"value": "text"})
        assert "text" in written
        for _ in range(2):
            found = saver.get_tuple(config("t"))
            assert found is not None
            assert found.checkpoint["channel_values"] == {"value": "text"}


@pytest.mark.usefixtures("every_class_is_packed")
def test_a_method_of_the_serializers_class_that_is_replaced_after_a_put_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own_dumps, own_loads = JsonPlusSerializer.dumps_typed, JsonPlusSerializer.loads_typed

    def dumps_typed(serde: JsonPlusSerializer, value: object) -> tuple[str, bytes]:
        kind, data = own_dumps(serde, value)
        return kind, data[::-1]

    def loads_typed(serde: JsonPlusSerializer, payload: tuple[str, bytes]) -> object:
        return own_loads(serde, (payload[0], payload[1][::-1]))

    with SqliteSaver(":memory:") as saver:
        put(saver, 1, {"value": "text"})
        with monkeypatch.context() as patched:
            patched.setattr(JsonPlusSerializer, "dumps_typed", dumps_typed)
            put(saver, 2, {"value": "text"})
            patched.setattr(JsonPlusSerializer, "loads_typed", loads_typed)
            found = saver.get_tuple(config("t"))
            assert found is not None
            assert found.checkpoint["channel_values"] == {"value": "text"}
        with pytest.raises(SerializationError):
            saver.get_tuple(config("t"))


SIZES = [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536]


@pytest.mark.usefixtures("every_class_is_packed")
@pytest.mark.parametrize("size", SIZES)
def test_values_of_every_size_are_stored_as_the_serializer_writes_them(size: int) -> None:
    text = "x" * size
    for value in (text, text.encode(), [0] * size, {str(at): 0 for at in range(size)}):
        others = ((value,), _DeltaSnapshot(value), HumanMessage("", value=value))
        for whole in (value, *(others if size <= 256 else ())):
            is_stored_as_the_serializer_writes_it(whole)


def is_stored_as_the_serializer_writes_it(value: object) -> None:
    values = {"value": value, "list": [value, value], "dict": {"k": value}}
    serde = JsonPlusSerializer()
    try:
        expected = {name: serde.dumps_typed(value) for name, value in values.items()}
    except Exception:
        # What the serializer cannot write is refused.
        with SqliteSaver(":memory:") as saver, pytest.raises(SerializationError):
            put(saver, 1, values)
        return
    with SqliteSaver(":memory:") as saver:
        put(saver, 1, values)
        saver.put_writes(config("t", checkpoint_id=id_of(1)), list(values.items()), "task")
        seeing = copy.copy(saver)
        seeing.serde = Seeing()
        seeing.get_tuple(config("t"))
        rest = serde.dumps_typed({"versions_seen": {}, "updated_channels": None})
        assert sorted(seeing.serde.seen) == sorted([*expected.values(), *expected.values(), rest])


CALL: Any = {"name": "tool", "args": {}, "id": "1", "type": "tool_call"}


def put(saver: SqliteSaver, step: int, values: dict[str, Any]) -> None:
    at = config("t", checkpoint_id=id_of(step - 1)) if step > 1 else config("t")
    new = states.checkpoint(id_of(step), **values)
    saver.put(at, new, {"source": "loop", "step": step}, new["channel_versions"])


def id_of(step: int) -> str:
    return f"1ef4f797-8335-6428-8001-{step:012}"


def chunks(
    path: Path, states: list[dict[str, Any]], serde: SerializerProtocol | None = None
) -> int:
    """Return how many chunks these states are stored in."""
    with SqliteSaver(path, serde=serde) as saver:
        for step, values in enumerate(states, 1):
            put(saver, step, values)
    # Python's copy of SQLite must not open the file of an open saver.
    connection = sqlite3.connect(path)
    try:
        (count,) = connection.execute("SELECT count(*) FROM lg_chunks").fetchone()
        return int(count)
    finally:
        connection.close()
