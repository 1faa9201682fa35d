"""Turns the statements that one request made, as PostgreSQL logged them, into a script for pgbench.

usage: capture.py PSQL URL CASES < log > script

The context that a transaction begins with travels with its `begin`, which pgbench cannot do for prepared statements: there
it is one statement of its own, and one more round trip.

The SQL stays as it is. Values stay too, but for those that a request makes anew: every id becomes one that differs from
transaction to transaction, the id of the case that was asked for becomes that of a random one, and so does the number of
the event in its case.
"""

import re
import subprocess
import sys

CASE = "01900000-0000-7000-8000-000000000004"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
CONSTANT = {"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"}
PARAMETER = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')")
STATEMENT = re.compile(r"LOG:  (?:statement|execute [^:]+): (.*)", re.S)


def statements(text):
    """(sql, {number: value or None}) in the order in which they were executed. A line of the log that begins with a tab
    goes on with the one before it."""
    found = []
    for line in text.replace("\n\t", "\v").split("\n"):
        line = line.replace("\v", "\n")
        statement = STATEMENT.search(line)
        if statement:
            found.append((statement.group(1).strip(), {}))
        elif "DETAIL:  parameters: " in line and found:
            for number, value in PARAMETER.findall(line.split("DETAIL:  parameters: ", 1)[1]):
                found[-1][1][int(number)] = None if value == "NULL" else value[1:-1].replace("''", "'")
    # What a connection says once, when it is made.
    return [it for it in found if not it[0].lower().startswith(("set ", "show "))]


def without_context(sql):
    """A `begin` and its context, as two statements."""
    begin, *settings = [it.strip() for it in sql.split(";") if it.strip()]
    named = [re.fullmatch(r"set local (\S+) = ('[^']*')", it).groups() for it in settings]
    return [begin, "select " + ", ".join(f"set_config('{name}', {value}, true)" for name, value in named)]


def types(psql, url, sql):
    """The types of a statement's parameters."""
    ask = f"prepare captured as {sql};\nselect array_to_string(parameter_types, E'\\n') from pg_prepared_statements"
    answer = subprocess.run([psql, "-qXAt", "-v", "ON_ERROR_STOP=1", url], input=ask, text=True, capture_output=True, check=True)
    return answer.stdout.strip().split("\n")


def quote(text):
    # pgbench reads a colon before a letter or digit as one of its variables, also within quotes.
    return "E'" + text.replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3a").replace("\n", "\\n") + "'"


class Values:
    """Each id of the captured request, and what stands for it in every transaction."""

    def __init__(self):
        self.made = {}

    def of(self, uuid):
        if uuid == CASE:
            return "('01900000-0000-7000-8000-' || lpad(to_hex(:case::bigint * 4), 12, '0'))"
        number = self.made.setdefault(uuid, len(self.made))
        return f"('0190ffff-{number:04x}-7fff-8000-' || lpad(to_hex(:n::bigint), 12, '0'))"

    def expression(self, value, kind):
        if value is None:
            return f"null::{kind}"
        ids = [it for it in dict.fromkeys(UUID.findall(value)) if it not in CONSTANT]
        text = quote(value)
        for uuid in ids:
            text = f"replace({text}, '{uuid}', {self.of(uuid)})"
        version = re.search(r'"case_version": \d+', value)
        if version:
            text = f"replace({text}, {quote(version.group(0))}, '\"case_version\": ' || :n::text)"
        return f"({text})::{kind}"


def main():
    psql, url, cases = sys.argv[1:]
    values = Values()
    print(f"\\set case random(1, {cases})")
    print("\\set n random(1, 200000000000000)")
    for sql, parameters in statements(sys.stdin.read()):
        if sql.startswith("begin; "):
            for part in without_context(sql):
                print(re.sub(r"'([^']*:[^']*)'", lambda it: quote(it.group(1)), part) + ";")
            continue
        if parameters:
            kinds = types(psql, url, sql)
            # The captured count would send a case back to numbers that its events have already.
            sql = re.sub(r"set event_count = \$\d+", "set event_count = event_count", sql)
            sql = re.sub(r"\$(\d+)", lambda it: values.expression(parameters[int(it.group(1))], kinds[int(it.group(1)) - 1]), sql)
        print(sql.replace("\n", " ").rstrip(";") + ";")


main()
