// A mutex of node redis-semaphore; nothing is held for long enough to be renewed.
'use strict';
const Redis = require('ioredis');
const { Mutex } = require('redis-semaphore');
const rounds = require('./rounds.js');

const [url, tasks] = process.argv.slice(2);
const redis = new Redis(url);
rounds(Number(tasks), async (name) => {
  const mutex = new Mutex(redis, name, { lockTimeout: 30000, refreshInterval: 0 });
  await mutex.acquire();
  await mutex.release();
});
