"""Receives Lindung's webhooks: python receive.py PORT SECRET... (two secrets while one takes the other's place)"""

import sqlite3
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

port, *secrets = sys.argv[1:]
webhooks = [Webhook(secret) for secret in secrets]

# What was done is kept with what it was done for, in one transaction: then nothing is done twice, whatever breaks.
kept = sqlite3.connect("received.db", isolation_level=None)
kept.execute("create table if not exists received (id text primary key, type text, link text)")


def verified(body, headers):
    """The event, if one of the secrets signed it."""
    for webhook in webhooks:
        try:
            return webhook.verify(body, headers)
        except WebhookVerificationError:
            pass
    return None


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        # The signature is over the bytes as they came: they are parsed afterwards.
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        event = verified(body, {name.lower(): value for name, value in self.headers.items()})
        if event is None:
            self.send_response(400)
        else:
            row = [event["id"], event["type"], event["link"]]
            if kept.execute("insert or ignore into received values (?, ?, ?)", row).rowcount:
                print(event.get("sequence", "-"), event["type"], event["link"], flush=True)
            self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        """Nothing is said of what is refused."""


server = HTTPServer(("127.0.0.1", int(port)), Receiver)
print("listening on port", server.server_port, flush=True)
server.serve_forever()
