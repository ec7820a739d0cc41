"""Queries: statements, parameters, results and their limits."""

from __future__ import annotations

import json
import random

from .server import ServerTest

HOSTILE = [
    "",
    '"',
    "'",
    "\\",
    '" or 1 == 1 //',
    "'; .drop table CheckpointLog //",
    "a;b\n\r\t\u2028\u0085",
    "```",
    "@'x'",
    "p_thread",
    "\U0001f600\u00e9",
]


def quoted(text: str) -> str:
    """A literal, by the rule of the guest."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    for plain, code in (("\n", "n"), ("\r", "r"), ("\t", "t")):
        escaped = escaped.replace(plain, "\\" + code)
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'


class Queries(ServerTest):
    """What comes back."""

    def put(self, *ids: str) -> None:
        self.ingest(
            [{"kind": "checkpoint", "thread_id": one, "rev": i} for i, one in enumerate(ids)]
        )

    def test_a_parameter_is_a_value_quoted_or_not(self) -> None:
        text = "declare query_parameters(p:string); CheckpointLog | where thread_id == p"
        self.put(*HOSTILE)
        for thread in HOSTILE:
            with self.subTest(thread):
                found = self.query(f"{text} | project thread_id", p=quoted(thread))
                self.assertEqual(found, [[thread]])
        found = self.query(f"{text} | project thread_id", p="a;b\n\r\t\u2028\u0085")
        self.assertEqual(len(found), 1)

    def test_random_literals_stand_for_what_they_say(self) -> None:
        draw = random.Random(4)
        alphabet = [
            '"',
            "'",
            "\\",
            "\n",
            "\r",
            "\t",
            ";",
            "/",
            "|",
            "u",
            "x",
            "\x01",
            "\u2028",
            "`",
        ]
        for _ in range(60):
            value = "".join(draw.choice(alphabet) for _ in range(draw.randrange(8)))
            self.assertEqual(self.query(f"print {quoted(value)}"), [[value]])

    def test_every_form_of_literal_is_read(self) -> None:
        text = "print 'it\\'s', @\"c:\\x\", h'secret', ```a\n\"b\"```, 'x' \"y\""
        self.assertEqual(self.query(text), [["it's", "c:\\x", "secret", 'a\n"b"', "xy"]])

    def test_parameters_have_defaults_and_dynamic_ones_are_lists(self) -> None:
        self.put("a", "b", "c")
        text = (
            "declare query_parameters(p_in:dynamic, p_out:dynamic, p_count:long = 2);\n"
            "CheckpointLog | where thread_id in (p_in) and thread_id !in (p_out)\n"
            "| order by rev asc | take p_count | project thread_id"
        )
        given = {"p_in": 'dynamic(["a", "b", "c", "\\"d"])', "p_out": "dynamic([])"}
        self.assertEqual(self.query(text, **given), [["a"], ["b"]])
        self.assertEqual(self.query(text, **given, p_count=1), [["a"]])
        self.assertEqual(self.query(text, **{**given, "p_out": 'dynamic(["b"])'}), [["a"], ["c"]])

    def test_a_parameter_without_a_value_is_an_error_that_holds_no_value(self) -> None:
        text = "declare query_parameters(p:long); print p"
        self.assertIn("'p' has no value", self.refused(self.query, text).error["@message"])
        refused = self.refused(self.query, text, p="secret")
        self.assertNotIn("secret", json.dumps(refused.error))

    def test_a_parameter_may_name_a_property(self) -> None:
        self.ingest([{"thread_id": "a", "metadata": {"x y": "v", "n": 5}}])
        text = (
            "declare query_parameters(k:string, v:string);\n"
            "CheckpointLog | where tostring(metadata[k]) == v | count"
        )
        self.assertEqual(self.query(text, k='"x y"', v='"v"'), [[1]])
        self.assertEqual(self.query(text, k='"n"', v='"5"'), [[1]])
        self.assertEqual(self.query(text, k='"none"', v='"5"'), [[0]])

    def test_members_of_a_dynamic_value_have_types_and_may_be_null(self) -> None:
        values = {"a": "x", "b": 1, "c": 1.5, "d": True, "e": None, "f": [], "g": {}, "h.i": "2"}
        self.ingest([{"thread_id": "a", "metadata": values}])
        asked = ("a", "b", "c", "d", "e", "f", "g", "h.i", "absent")
        columns = ", ".join(f"gettype(metadata['{name}'])" for name in asked)
        [row] = self.query(f"CheckpointLog | project {columns}")
        kinds = ["string", "long", "double", "bool", "null", "array", "dictionary", "string"]
        self.assertEqual(row, [*kinds, "null"])
        columns = ", ".join(f"isnull(metadata['{name}'])" for name in asked)
        [row] = self.query(f"CheckpointLog | project {columns}")
        self.assertEqual(
            [name for name, null in zip(asked, row, strict=True) if null], ["e", "absent"]
        )

    def test_the_name_of_a_member_is_a_name_and_nothing_more(self) -> None:
        names = ["*", "a.b", 'a"b', "a'b", "[0]", "$", "0", "a/b", "~1", "#", "a\\b", *HOSTILE[1:]]
        self.ingest([{"metadata": {name: str(place) for place, name in enumerate(names)}}])
        text = (
            "declare query_parameters(k:string);\n"
            "CheckpointLog | project tostring(metadata[k]), gettype(metadata[k])"
        )
        for place, name in enumerate(names):
            with self.subTest(name):
                self.assertEqual(self.query(text, k=quoted(name)), [[str(place), "string"]])

    def test_a_table_stands_for_the_values_of_its_first_column(self) -> None:
        self.put("a", "b", "CheckpointLog in (None)")
        text = (
            "let Some = materialize(CheckpointLog | where rev < 1 | project thread_id);\n"
            "let None = materialize(Some | where thread_id == 'none');\n"
            "CheckpointLog | where thread_id in (Some) | project thread_id;\n"
            "CheckpointLog | where thread_id !in (Some) or thread_id in (None) | count;\n"
            "CheckpointLog | where thread_id in (None) and rev >= 0 | count;\n"
            "CheckpointLog | where thread_id == 'CheckpointLog in (None)' | count"
        )
        for _ in range(2):
            self.assertEqual(self.results(text), [[["a"]], [[2]], [[0]], [[1]]])

    def test_a_function_without_parameters_is_asked_like_a_table(self) -> None:
        self.put("a", "b")
        self.command(
            ".create function ifnotexists F(from: long = 1) { CheckpointLog | where rev >= from }"
        )
        self.command(".create function ifnotexists G() { F() | project thread_id }")
        self.command(".create function ifnotexists G() { F(0) | count }")
        self.assertEqual(self.query("G"), [["b"]])
        self.assertEqual(self.query("F(0) | count"), [[2]])

    def test_lets_are_shared_by_the_statements_of_a_request(self) -> None:
        self.put("a", "b")
        text = (
            "let All = CheckpointLog | where rev >= 0;\n"
            "let highest = toscalar(All | summarize max(rev));\n"
            "let Top = materialize(All | where rev == highest);\n"
            "let None = All | where thread_id == 'none';\n"
            "Top | project thread_id; print highest; All | count;\n"
            "All | join kind=leftsemi None on thread_id | project thread_id;\n"
            "All | join kind=leftanti Top on thread_id | project thread_id;\n"
            "union Top, None | count"
        )
        for _ in range(2):
            self.assertEqual(self.results(text), [[["b"]], [[1]], [[2]], [], [["a"]], [[1]]])

    def test_what_is_empty_once_is_not_empty_ever_after(self) -> None:
        text = (
            "let Some = materialize(CheckpointLog | where rev > 0);\n"
            "let More = materialize(CheckpointLog | join kind=inner Some on thread_id);\n"
            "Some | count; More | count; More | project thread_id"
        )
        self.assertEqual(self.results(text), [[[0]], [[0]], []])
        self.ingest([{"thread_id": "a", "rev": 1}])
        self.assertEqual(self.results(text), [[[1]], [[1]], [["a"]]])
        self.database += "-other"
        self.assertEqual(self.results(text), [[[0]], [[0]], []])

    def test_strings_are_ordered_by_their_bytes(self) -> None:
        ids = ["Z", "a", "\u00e9", "\uff5e", "\U0001f600"]
        self.put(*reversed(ids))
        found = self.query("CheckpointLog | order by thread_id asc | project thread_id")
        self.assertEqual([row[0] for row in found], ids)
        below = "CheckpointLog | where strcmp(thread_id, 'a') < 0 | project thread_id"
        self.assertEqual(self.query(below), [["Z"]])

    def test_errors_say_what_is_wrong_and_that_it_will_not_pass(self) -> None:
        for text, code in (
            ("NoSuchTable | take 1", "SEM0100"),
            ("CheckpointLog | where nosuch == 1", "SEM0100"),
            ("CheckpointLog | wher x", "SYN0002"),
            (".show tables", "SYN0002"),
            ("let x = 1", "SYN0002"),
        ):
            with self.subTest(text):
                refused = self.refused(self.query, text)
                self.assertEqual((refused.status, refused.error["@permanent"]), (400, True))
                self.assertEqual(refused.error["innererror"]["code"], code)

    def test_a_result_over_the_limit_fails_after_the_status(self) -> None:
        self.put("a", "b", "c")
        text = "CheckpointLog | project thread_id"
        for options in ({"truncationmaxrecords": 2}, {"truncationmaxsize": 2}):
            end = self.query_frames(text, options)[-1]
            self.assertTrue(end["HasErrors"])
            message = end["OneApiErrors"][0]["error"]["@message"]
            self.assertIn("E_QUERY_RESULT_SET_TOO_LARGE", message)
        unlimited = self.query_frames(text, {"truncationmaxsize": 2, "notruncation": True})
        self.assertFalse(unlimited[-1]["HasErrors"])

    def test_dynamic_values_are_text_or_json(self) -> None:
        self.assertEqual(self.query("print dynamic({'a': [1]})"), [['{"a":[1]}']])
        self.set(dynamic_as_text=False)
        self.assertEqual(self.query("print dynamic({'a': [1]})"), [[{"a": [1]}]])

    def test_version_1_ends_with_a_table_of_contents(self) -> None:
        body = {"db": self.database, "csl": "print a = true; print 2", "properties": "{}"}
        tables = self.send("POST", "/v1/rest/query", json.dumps(body).encode())["Tables"]
        self.assertEqual([table["Rows"] for table in tables[:2]], [[[1]], [[2]]])
        self.assertEqual(tables[0]["Columns"][0]["DataType"], "SByte")
        self.assertEqual([row[1] for row in tables[2]["Rows"]], ["QueryResult"] * 2)
