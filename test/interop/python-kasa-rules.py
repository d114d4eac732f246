"""What the command line of python-kasa cannot do: several requests by one object, and a look at the rules."""

import asyncio
import sys

from kasa import DeviceConfig
from kasa.iot import IotPlug


async def main(host: str, port: int) -> None:
    plug = IotPlug(host, config=DeviceConfig(host=host, port_override=port))
    try:
        await plug.update()
        schedule = plug.modules["schedule"]
        rules = schedule.rules
        for rule in rules:
            await schedule.delete_rule(rule)
        seen = []
        for on in (True, False):
            await plug.set_state(on)
            await plug.update()
            seen.append("on" if plug.is_on else "off")
        listed = ", ".join(f"{rule.smin} {rule.sact.name} {''.join(map(str, rule.wday))}" for rule in rules)
        print(f"rules: {listed}; then {len(schedule.rules)}; switched: {' '.join(seen)}")
    finally:
        await plug.disconnect()


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
