"""The same polls through python-kasa, over connections it keeps: its bare query, without the rest of its update()."""

import asyncio
import json
import sys
import time

from kasa import DeviceConfig
from kasa.protocols import IotProtocol
from kasa.transports import XorTransport

PLUGS, PORT = (json.loads(sys.argv[1])[key] for key in ("plugs", "port"))
POLL = {"system": {"get_sysinfo": {}}, "emeter": {"get_realtime": {}}}


def host_of(plug: int) -> str:
    return f"127.{1 + (plug >> 16)}.{(plug >> 8) & 255}.{plug & 255}"


async def ask(protocol: IotProtocol) -> None:
    try:
        await protocol.query(POLL)
    except Exception as error:  # noqa: BLE001: a plug that fails is asked again with the next poll
        print(error, file=sys.stderr)


async def main() -> None:
    protocols = [
        IotProtocol(transport=XorTransport(config=DeviceConfig(host=host_of(plug), port_override=PORT, timeout=5)))
        for plug in range(PLUGS)
    ]
    began = time.monotonic()
    asked = 0
    tasks: set[asyncio.Task[None]] = set()
    # As evenly as the others, in wake-ups of 50 ms; after a halt what was missed is not made up for.
    while True:
        due = int((time.monotonic() - began) * PLUGS)
        for turn in range(max(asked, due - PLUGS), due):
            task = asyncio.create_task(ask(protocols[turn % PLUGS]))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        asked = due
        await asyncio.sleep(0.05)


asyncio.run(main())
