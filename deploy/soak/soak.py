"""The soak: see run.sh. It ends with an error where something was lost, done twice, or told out of order."""

import argparse
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter, defaultdict
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SCHOOL, POLICE = "KPM.SEKOLAH.WBA0001", "KDN.PDRM.D11"
NOTED = "my.gov.lindung.referral.noted"
REFERRALS = 40
LOADERS = 16
HEALTHY, HANGING = 8, 2
# Of the healthy ones so many take everything; each of the others takes one referral.
WHOLE = 2
DRAIN = 120

arguments = argparse.ArgumentParser()
arguments.add_argument("lindung")
for name, value in {"duration": 60, "rate": 200, "kill": 10, "seed": 1}.items():
    arguments.add_argument(f"--{name}", type=int, default=value)
arguments = arguments.parse_args()
host, port = os.environ["LINDUNG_LISTEN"].rsplit(":", 1)
database = os.environ["LINDUNG_DATABASE_URL"]


# --- what runs --------------------------------------------------------------------------------------------------------


def started(command):
    settings = {
        "LINDUNG_DATABASE_URL": database.replace("user=lindung", "user=lindung_api"),
        "LINDUNG_WORKER_DATABASE_URL": database.replace("user=lindung", "user=lindung_worker"),
        "LINDUNG_WORK": "off",
    }
    return subprocess.Popen([arguments.lindung, command], env={**os.environ, **settings}, stdout=subprocess.DEVNULL)


running = {"serve": started("serve"), "work 1": started("work"), "work 2": started("work")}


def token(agency, *more):
    command = [arguments.lindung, "token", "--agency", agency, *more]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class Client:
    """One connection, made again when it breaks."""

    def __init__(self, bearer):
        self.bearer, self.connection = bearer, None

    def ask(self, method, path, body=None, **headers):
        """Status and body; nothing where there was no answer."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(host, int(port), timeout=40)
            fields = {"authorization": f"Bearer {self.bearer}", "content-type": "application/json", **headers}
            sent = None if body is None else json.dumps(body)
            self.connection.request(method, path, sent, {name.replace("_", "-"): it for name, it in fields.items()})
            answer = self.connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            self.connection = None
            return None, None

    def must(self, method, path, body=None, **headers):
        """The body of an answer that has to be good."""
        key = str(uuid.uuid4())
        for _ in range(200):
            status, answer = self.ask(method, path, body, idempotency_key=key, **headers)
            if status is not None and status < 300:
                return answer
            if status is not None and status < 500:
                sys.exit(f"{method} {path} answered {status}: {answer}")
            time.sleep(0.1)
        sys.exit(f"{method} {path} is not answered")


# --- receivers and followers ------------------------------------------------------------------------------------------


class Sink:
    """Who was told what, and when."""

    def __init__(self):
        self.lock, self.times, self.order, self.events = threading.Lock(), {}, [], Counter()
        self.only = None

    def due(self):
        """What it should be told, by referral."""
        return Counter({it: count for it, count in journal.items() if self.only in (None, it)})

    def take(self, event):
        with self.lock:
            self.events[event["id"]] += 1
            if event["id"] not in self.times:
                self.times[event["id"]] = time.time()
                self.order.append(event)


def receiver(hangs):
    sink = Sink()

    class Receiver(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            if hangs:
                ended.wait(20)
                self.close_connection = True
                return
            sink.take(json.loads(body))
            self.send_response(204)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, *_):
            """A sender that was killed in between."""

    server = Server(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return sink, f"http://127.0.0.1:{server.server_port}/"


def follower(agency):
    sink, client = Sink(), Client(token(agency))

    def follow():
        after = ""
        while not ended.is_set():
            status, page = client.ask("GET", f"/v1/events?limit=200&wait=2{after}")
            if status == 200:
                for event in page["items"]:
                    sink.take(event)
                after = "&after=" + page["next"]
            else:
                time.sleep(0.05)

    threading.Thread(target=follow, daemon=True).start()
    return sink


# --- the load -----------------------------------------------------------------------------------------------------------

ended = threading.Event()
journal, journal_lock, unknown = Counter(), threading.Lock(), Counter()


def loader(client, referrals, dice, until):
    pause = LOADERS / arguments.rate
    while time.time() < until:
        began, referral = time.time(), dice.choice(referrals)
        key, tries = str(uuid.uuid4()), 0
        while True:
            status, _ = client.ask(
                "POST", f"/v1/referrals/{referral}/note", {"text": "Noted."}, idempotency_key=key, if_match="*"
            )
            if status == 200:
                with journal_lock:
                    journal[referral] += 1
                    unknown["repeated"] += tries > 0
                break
            if status is not None and status < 500 and status != 409:
                sys.exit(f"a note was answered {status}")
            # No answer, or busy with the first try: the same again, until it is known.
            tries += 1
            time.sleep(0.05)
        time.sleep(max(0, pause - (time.time() - began)))


def killer(dice, until):
    while arguments.kill and time.time() + arguments.kill < until:
        time.sleep(arguments.kill)
        name = dice.choice(sorted(running))
        running[name].send_signal(signal.SIGKILL)
        running[name].wait()
        running[name] = started(name.split()[0])
        unknown["kills of " + name] += 1


def main():
    probe = Client("")
    for _ in range(100):
        if probe.ask("GET", "/readyz")[0] == 200:
            break
        time.sleep(0.1)
    school = Client(token(SCHOOL, "--officer", "soak", "--role", "supervisor", "--purpose", "education-safeguarding"))
    police = Client(token(POLICE, "--officer", "soak", "--role", "officer", "--purpose", "investigation"))
    case = {"priority": "urgent", "offences": ["A792.15B"], "grounds": [], "techniques": [],
            "sections": {"summary": {"text": "A soak."}}, "children": [{}]}
    terms = {"kind": "police-investigation", "priority": "urgent", "recipient": POLICE, "request": "Please.",
             "shares": [{"section": "summary"}], "purposes": ["investigation"]}
    referrals = []
    for _ in range(REFERRALS):
        opened = school.must("POST", "/v1/cases", case)
        sent = school.must("POST", f"/v1/cases/{opened['id']}/referrals", terms)
        police.must("POST", f"/v1/referrals/{sent['id']}/accept", {}, if_match="*")
        referrals.append(sent["id"])

    sinks = [receiver(hangs=False) for _ in range(HEALTHY)] + [receiver(hangs=True) for _ in range(HANGING)]
    for at, (_, url) in enumerate(sinks):
        agency = [SCHOOL, POLICE][at % 2]
        admin = Client(token(agency, "--officer", "soak", "--role", "administrator"))
        wanted = {"channel": "webhook", "url": url, "types": [NOTED]}
        if WHOLE <= at < HEALTHY:
            wanted["referral"] = referrals[at]
            sinks[at][0].only = referrals[at]
        admin.must("POST", "/v1/subscriptions", wanted)
    followers = [follower(SCHOOL), follower(POLICE)]

    until = time.time() + arguments.duration
    dice = random.Random(arguments.seed)
    threads = [threading.Thread(target=killer, args=(random.Random(arguments.seed), until))]
    threads += [
        threading.Thread(target=loader, args=(Client(school.bearer), referrals, random.Random(dice.random()), until))
        for _ in range(LOADERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    acknowledged = sum(journal.values())

    # Everything comes to its end, or is late.
    healthy = [it[0] for it in sinks[:HEALTHY]]
    deadline = time.time() + DRAIN
    noted = lambda sink: [it for it in sink.order if it["type"] == NOTED]
    while time.time() < deadline and any(len(noted(it)) < sum(it.due().values()) for it in followers + healthy):
        time.sleep(0.2)
    drained = time.time() - until
    ended.set()
    for process in running.values():
        process.terminate()
    for process in running.values():
        process.wait(30)
    sys.exit(report(acknowledged, drained, followers, healthy, noted))


def report(acknowledged, drained, followers, healthy, noted):
    def percentiles(sinks):
        took = sorted(
            sink.times[it["id"]] - datetime.fromisoformat(it["time"]).astimezone(timezone.utc).timestamp()
            for sink in sinks
            for it in noted(sink)
        )
        return (took[len(took) // 2], took[len(took) * 99 // 100]) if took else (float("nan"),) * 2

    lost = extra = disorder = 0
    for sink in followers + healthy:
        told = Counter(it["subject"].split("/")[1] for it in noted(sink))
        lost += sum((sink.due() - told).values())
        extra += sum((told - sink.due()).values())
        versions = defaultdict(list)
        for event in noted(sink):
            versions[event["caseid"]].append(event["caseversion"])
        disorder += sum(it != sorted(it) for it in versions.values())
    in_feed = sum(it - 1 for sink in followers for it in sink.events.values())
    by_webhook = sum(it - 1 for sink in healthy for it in sink.events.values())
    kills = ", ".join(f"{count} {name}" for name, count in sorted(unknown.items()) if name != "repeated") or "no kills"
    print(f"acknowledged         {acknowledged} commands, {acknowledged / arguments.duration:.0f}/s; {unknown['repeated']} of them asked again")
    print(f"killed               {kills}; drained after {drained:.1f} s")
    print(f"lost                 {lost}")
    print(f"done twice           {extra}")
    print(f"cases out of order   {disorder}")
    print(f"told again           {in_feed} by the feed, {by_webhook} by webhook (same id)")
    for name, sinks, aim in [("feed", followers, 1), ("webhook", healthy, 2)]:
        p50, p99 = percentiles(sinks)
        print(f"command to {name:<9} p50 {p50:.3f} s, p99 {p99:.3f} s (aim: {aim} s)")
    return 1 if lost or extra or disorder or in_feed else 0


main()
