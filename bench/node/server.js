// What we are measured against: a plain Socket.IO server. POST /push sends its body to everybody in the room; whoever
// connects gets the last one. POST /vote counts one and tells everybody, as live-quiz servers do.
const http = require("http");
const { Server } = require("socket.io");

let last = { order: [0, 0], html: "" };
let votes = 0;
const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    if (request.url === "/push") {
      last = { order: [0, 0], html: Buffer.concat(parts).toString() };
      io.to("phones").emit("now", last);
    }
    if (request.url === "/vote") io.to("phones").emit("now", { order: [0, ++votes], html: "" });
    response.end();
  });
});
const io = new Server(server, { serveClient: false, perMessageDeflate: false, httpCompression: false });
io.on("connection", (socket) => { socket.join("phones"); socket.emit("now", last); });
server.listen(Number(process.env.PORT), "127.0.0.1", 4096, () => console.log("It listens."));
