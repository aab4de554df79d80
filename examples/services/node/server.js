// A service that answers every request. It ends on SIGTERM.
const http = require('node:http');

const server = http.createServer((request, response) => response.end('hello from node\n'));
process.on('SIGTERM', () => process.exit(0));
server.listen(8001, '127.0.0.1');
