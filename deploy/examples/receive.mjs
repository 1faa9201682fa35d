// Receives Lindung's webhooks: node receive.mjs PORT SECRET... (two secrets while one takes the other's place)
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const [port, ...secrets] = process.argv.slice(2);
const webhooks = secrets.map((secret) => new Webhook(secret));

// What was received is written down before it is acknowledged; a database does this and the work in one transaction.
const file = "received.txt";
const received = new Set(existsSync(file) ? readFileSync(file, "utf8").split("\n") : []);

/** The event, if one of the secrets signed it. */
function verified(body, headers) {
  for (const webhook of webhooks) {
    try {
      return webhook.verify(body, headers);
    } catch {
      // Another may have.
    }
  }
  return null;
}

const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    // The signature is over the bytes as they came: they are parsed afterwards.
    const event = verified(Buffer.concat(parts).toString("utf8"), request.headers);
    if (event === null) {
      response.writeHead(400).end();
      return;
    }
    if (!received.has(event.id)) {
      received.add(event.id);
      appendFileSync(file, `${event.id}\n`);
      console.log(event.sequence ?? "-", event.type, event.link);
    }
    response.writeHead(204).end();
  });
});
server.listen(Number(port), "127.0.0.1", () => console.log("listening on port", server.address().port));
