// Does rounds of `pair(name)` on demand: a line with milliseconds comes in, a line `pairs seconds` goes out.
'use strict';
const readline = require('readline');

module.exports = (tasks, pair) => {
  const round = async (milliseconds) => {
    const began = process.hrtime.bigint();
    const end = began + BigInt(milliseconds) * 1000000n;
    let pairs = 0;
    const task = async (number) => {
      for (let turn = 0; process.hrtime.bigint() < end; turn++) {
        await pair(`order:${number}:${turn % 16}`);
        pairs++;
      }
    };
    await Promise.all(Array.from({ length: tasks }, (_, number) => task(number)));
    return `${pairs} ${Number(process.hrtime.bigint() - began) / 1e9}`;
  };
  readline.createInterface({ input: process.stdin })
    .on('line', async (line) => console.log(await round(Number(line))))
    .on('close', () => process.exit(0));
};
