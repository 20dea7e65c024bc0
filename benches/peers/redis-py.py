"""The asyncio lock of redis-py: a line with milliseconds comes in, a line `pairs seconds` goes out."""

import asyncio
import sys
import time

import redis.asyncio


async def main(url, tasks):
    client = redis.asyncio.from_url(url)

    async def task(number, end):
        pairs = 0
        while time.monotonic() < end:
            async with client.lock(f"order:{number}:{pairs % 16}", timeout=30):
                pairs += 1
        return pairs

    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        began = time.monotonic()
        end = began + int(line) / 1000
        pairs = sum(await asyncio.gather(*(task(number, end) for number in range(tasks))))
        print(pairs, time.monotonic() - began, flush=True)


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
