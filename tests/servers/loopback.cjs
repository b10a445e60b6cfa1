// Preloaded into a Node.js server: it listens on the loopback interface only, at a free port that it tells on stderr, and
// ends when whoever started it does.
"use strict";
const net = require("node:net");

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...words) {
  this.once("listening", () => process.stderr.write(`listening at port ${this.address().port}\n`));
  return listen.call(this, { host: "127.0.0.1", port: 0 }, words.find((word) => typeof word === "function"));
};
process.stdin.once("end", () => process.exit(0)).once("error", () => process.exit(0)).resume();
