"""Commands and the roles they need."""

from __future__ import annotations

import json

from .server import ServerTest


class Commands(ServerTest):
    """What commands create, show and remove."""

    def test_columns_are_added_and_never_changed(self) -> None:
        self.command(".create-merge table T (a: string, ['kind']: long)")
        self.command(".create-merge table T (a: string, b: dynamic)")
        [row] = self.command(".show table T cslschema")
        self.assertEqual(row[1], "a:string,kind:long,b:dynamic")
        self.refused(self.command, ".create-merge table T (a: long)")
        self.refused(self.command, ".create table T (a: string)")
        self.refused(self.command, ".create table U (a: strng)")

    def test_a_table_based_on_another_one_has_its_columns_and_policies(self) -> None:
        self.command(".create-merge table T (a: string)")
        self.command(".alter-merge table T policy retention softdelete = 7d")
        self.command(".create table U based-on T ifnotexists with (folder = 'f')")
        self.command(".drop table T")
        [row] = self.command(".show table U policy retention")
        self.assertEqual(json.loads(row[2])["SoftDeletePeriod"], "7.00:00:00")
        self.command(".create-merge table T (b: string)")
        self.refused(self.command, ".create table U based-on T")
        self.command(".create table U based-on T ifnotexists")
        self.assertEqual(self.command(".show table U cslschema")[0][1], "a:string")

    def test_operators_may_follow_what_is_shown(self) -> None:
        found = self.command(".show tables | where TableName == 'CheckpointLog' | count")
        self.assertEqual(found, [[1]])
        [row] = self.command(".show table CheckpointLog schema as json")
        self.assertIn(
            {"Name": "rev", "Type": "System.Int64", "CslType": "long"},
            json.loads(row[1])["OrderedColumns"],
        )
        [row] = self.command(".show table CheckpointLog ingestion json mappings")
        self.assertEqual(row[0], "lg_json_v1")
        [row] = self.command(".show table CheckpointLog policy retention")
        self.assertEqual(json.loads(row[2])["SoftDeletePeriod"], "365.00:00:00")
        [row] = self.command(".show table CheckpointLog policy merge")
        self.assertEqual(row[2], "null")

    def test_a_function_with_a_mistake_is_not_stored(self) -> None:
        self.refused(self.command, ".create-or-alter function F() { CheckpointLog | wher x }")
        self.assertEqual(self.command(".show function F"), [])
        self.command(".create-or-alter function F() { CheckpointLog | count }")
        self.command(".drop function F")
        self.refused(self.query, "F()")

    def test_a_deletion_takes_the_rows_that_its_predicate_selects(self) -> None:
        hostile = 'a" or true //'
        self.ingest(
            [{"thread_id": thread, "rev": rev} for thread in ("a", hostile) for rev in (1, 2)]
        )
        literal = json.dumps(hostile)
        text = f"records <| CheckpointLog | where thread_id == {literal} and rev <= 1"
        self.assertEqual(self.command(f".delete table CheckpointLog {text}")[0][1], 1)
        found = self.query(
            "CheckpointLog | order by thread_id asc, rev asc | project thread_id, rev"
        )
        self.assertEqual(found, [["a", 1], ["a", 2], [hostile, 2]])

    def test_rows_of_a_time_go_as_retention_would_take_them(self) -> None:
        for day in (1, 2, 3):
            self.ingest([{"rev": day, "created_at": f"2026-01-0{day}T00:00:00Z"}])
        old = "CheckpointLog | where created_at < datetime(2026-01-03) and ['kind'] != 'x'"
        self.assertEqual(self.command(f".delete table CheckpointLog records <| {old}")[0][1], 2)
        self.assertEqual(self.query("CheckpointLog | project rev"), [[3]])

    def test_a_deletion_without_a_condition_is_refused(self) -> None:
        for predicate in (
            "CheckpointLog",
            "CheckpointLog | take 1",
            "print 1",
            "Other | where true",
        ):
            self.refused(self.command, f".delete table CheckpointLog records <| {predicate}")

    def test_whoever_lacks_a_role_is_refused(self) -> None:
        self.query("print 1")
        self.set(roles=["viewer"])
        self.assertEqual(self.refused(self.ingest, [{"rev": 1}]).status, 403)
        self.command(".show tables")
        self.set(roles=["ingestor"])
        self.assertEqual(self.refused(self.query, "print 1").status, 403)
        self.set(roles=["viewer", "ingestor"])
        self.ingest([{"rev": 1}])
        self.query("print 1")
        self.command(".clear database cache streamingingestion schema")
        for text in (
            ".delete table CheckpointLog records <| CheckpointLog | where rev == 1",
            ".alter table CheckpointLog policy caching hot = 7d",
            ".create-or-alter function F() { CheckpointLog }",
            ".execute database script <| .show tables",
        ):
            refused = self.refused(self.command, text)
            self.assertEqual((refused.status, refused.error["code"]), (403, "Forbidden"))

    def test_an_absent_database_and_one_without_tables_are_told_apart(self) -> None:
        self.set(absent=True)
        refused = self.refused(self.query, "print 1")
        self.assertEqual(refused.error["code"], "BadRequest_EntityNotFound")
        self.database += "-bare"
        body = json.dumps({"database": self.database, "provisioned": False}).encode()
        self.send("POST", "/local/databases", body)
        self.assertEqual(self.query("print 1"), [[1]])
        self.refused(self.query, "CheckpointLog | count")

    def test_a_token_is_asked_for_where_one_is_set(self) -> None:
        self.set(tokens=["good"])
        for token in (None, "bad"):
            self.token = token
            self.assertEqual(self.refused(self.query, "print 1").status, 401)
        self.token = "good"
        self.assertEqual(self.query("print 1"), [[1]])

    def test_an_application_logs_in_with_its_secret(self) -> None:
        self.set(tokens=[])
        application = {"tenant": "contoso", "client_id": "app", "secret": "s3cret"}
        self.send("POST", "/local/login", json.dumps(application).encode())
        metadata = self.send("GET", "/v1/rest/auth/metadata")["AzureAD"]
        self.assertEqual(metadata["LoginEndpoint"], self.server.url)
        form = "grant_type=client_credentials&client_id=app&scope=x&client_secret="
        path = "/contoso/oauth2/v2.0/token"
        self.assertEqual(self.refused(self.send, "POST", path, (form + "no").encode()).status, 401)
        answer = self.send("POST", path, (form + "s3cret").encode())
        self.token = answer["access_token"]
        self.assertEqual(self.query("print 1"), [[1]])
