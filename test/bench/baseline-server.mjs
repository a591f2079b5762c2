/**
 * What the relay is measured against: a plain Socket.IO server with the sharded Redis adapter, which
 * keeps no log, seals nothing and gives no order across replicas. Prints its port.
 */
import { createServer } from 'node:http';
import { createShardedAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';

const http = createServer();
const [publisher, subscriber] = [new Redis(process.env.REDIS_URL), new Redis(process.env.REDIS_URL)];
const io = new Server(http, {
  transports: ['websocket'],
  adapter: createShardedAdapter(publisher, subscriber, { subscriptionMode: 'static' }),
});
io.on('connection', (socket) => {
  socket.on('enter', async (room, done) => {
    await socket.join(room);
    done();
  });
  socket.on('say', (room, payload, done) => {
    io.to(room).emit('said', payload);
    done();
  });
});
http.listen(0, '127.0.0.1', () => {
  console.log(http.address().port);
});
