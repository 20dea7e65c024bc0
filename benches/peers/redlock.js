// node redlock with its defaults.
'use strict';
const Redis = require('ioredis');
const Redlock = require('redlock');
const rounds = require('./rounds.js');

const [url, tasks] = process.argv.slice(2);
const redlock = new Redlock([new Redis(url)]);
rounds(Number(tasks), async (name) => {
  const lock = await redlock.lock(name, 30000);
  await lock.unlock();
});
