"""Tries a museum of every kind of plug in a Home Assistant that runs: museum.py FOLDER PORT, PORT that of the probe."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

FOLDER, PORT = sys.argv[1], int(sys.argv[2])
failed = False


def ask(question):
    with socket.create_connection(("127.0.0.1", PORT), timeout=30) as connection:
        connection.sendall((json.dumps(question) + "\n").encode())
        answer = json.loads(connection.makefile().readline())
    if isinstance(answer, dict) and "error" in answer:
        raise RuntimeError(f"{question}: {answer['error']}")
    return answer


def states():
    return ask({"show": "states"})


def call(service, entity, **data):
    domain, name = service.split(".")
    ask({"call": [domain, name, {"entity_id": entity, **data}]})


def check(what, is_right, found):
    global failed
    failed = failed or not is_right
    print(f"{'ok    ' if is_right else 'FAILED'}  {what}: {found}")


def becomes(what, entity, seconds=30, **expected):
    """The entity comes to that state, and to those attributes."""
    end = time.monotonic() + seconds
    while True:
        state, attributes = states().get(entity, ["missing", {}])
        found = {"state": state, **{key: attributes.get(key) for key in expected if key != "state"}}
        if found == expected or time.monotonic() > end:
            check(f"{what}, {entity}", found == expected, " ".join(str(value) for value in found.values()))
            return
        time.sleep(0.1)


def started():
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            return states()
        except (OSError, ValueError):
            time.sleep(0.5)
    return None


def pid(name):
    with open(os.path.join(FOLDER, f"{name}.pid"), encoding="utf-8") as file:
        return int(file.read())


def stop(name, sign):
    os.kill(pid(name), sign)
    while os.path.exists(f"/proc/{pid(name)}") and not is_zombie(pid(name)):
        time.sleep(0.1)


def is_zombie(process):
    with open(f"/proc/{process}/stat", encoding="utf-8") as file:
        return file.read().rsplit(")", 1)[1].split()[0] == "Z"


def start(name):
    subprocess.Popen(["bash", os.path.join(FOLDER, f"{name}.sh")], start_new_session=True)


def known():
    """All that is announced is there, below the right device, and nothing of it is unavailable."""
    becomes("all plugs are known", "switch.museum", state="on", total=15, unknown=0)
    found = {device["name"]: device for device in ask({"show": "devices"})}
    entities = sum(len(device["entities"]) for device in found.values())
    check("devices", len(found) == 21, f"{len(found)} with {entities} entities")
    check("an outlet is connected by its strip", found["Outlet 1"]["via"] == "Desk strip", found["Outlet 1"]["via"])
    check("a strip is connected by the bridge", found["Desk strip"]["via"] == "hs110-mqtt museum", found["Desk strip"]["via"])
    available()


def available():
    away = [entity for entity, (state, _) in states().items() if state == "unavailable"]
    check("entities that are unavailable", away == [], len(away))


def switched():
    call("switch.turn_on", "switch.shed1")
    becomes("a plug is switched on", "switch.shed1", state="on")
    call("light.turn_on", "light.hall_shed2")
    becomes("a plug that is a light is switched on", "light.hall_shed2", state="on")
    call("switch.turn_on", "switch.klap")
    becomes("a plug with newer firmware is switched on", "switch.klap", state="on")
    call("switch.turn_on", "switch.desk")
    becomes("a strip is switched on as a place", "switch.desk", state="on", on=6)
    call("switch.turn_off", "switch.desk_2")
    becomes("one of its outlets is switched off", "switch.desk", state="on", on=5)
    call("number.set_value", "number.hall_shed3_on_for", value=1)
    becomes("a plug is switched on for a minute", "switch.hall_shed3", state="on")


def lit():
    call("light.turn_on", "light.foyer_dimmer", brightness=102)
    becomes("a dimmer is dimmed", "light.foyer_dimmer", state="on", brightness=102)
    becomes("nothing moves before a motion sensor", "binary_sensor.foyer_porch_motion", state="off", device_class="motion")
    becomes("a light sensor is read", "sensor.foyer_porch_ambient_light", state="35", unit_of_measurement="%")
    call("light.turn_on", "light.foyer_white", brightness_pct=1)
    becomes("a bulb is dimmed to 1 %", "light.foyer_white", state="on", brightness=3)
    # Home Assistant counts in mireds: 3,000 K are 333 of them, which are 3,003 K.
    call("light.turn_on", "light.foyer_bulb", brightness_pct=55, color_temp_kelvin=3000)
    becomes("brightness and white in one call", "light.foyer_bulb", state="on", brightness=140, color_temp_kelvin=3003)
    call("light.turn_on", "light.foyer_band", color_temp_kelvin=5000)
    becomes("a light strip is white", "light.foyer_band", state="on", color_temp_kelvin=5000)
    call("light.toggle", "light.foyer_dimmer")
    becomes("a dimmer is toggled", "light.foyer_dimmer", state="off")


def all_off():
    call("button.press", "button.museum_all_off")
    becomes("all off", "switch.museum", state="off", on=0, off=15, total=15)
    _, receipt = states()["event.museum_receipt"]
    counts = [receipt.get(key) for key in ("event_type", "confirmed", "total", "missing")]
    check("its receipt", counts == ["confirmed", 15, 15, []], counts)


def outages():
    stop("bridge", signal.SIGKILL)
    becomes("the bridge is killed", "switch.shed1", state="unavailable")
    becomes("what the bridge says of itself then", "binary_sensor.museum_bridge_connection", state="off")
    start("bridge")
    becomes("it is back", "switch.shed1", state="off")
    stop("hass", signal.SIGTERM)
    start("hass")
    is_back = started() is not None
    check("Home Assistant starts again", is_back, is_back)
    becomes("Home Assistant has restarted", "light.foyer_bulb", state="off")
    becomes("the last plug is there", "switch.museum", state="off")
    available()


def complaints():
    """What Home Assistant logs of MQTT and of what came by it, from warnings on."""
    with open(os.path.join(FOLDER, "hass.log"), encoding="utf-8") as file:
        lines = [line for line in file if (" WARNING " in line or " ERROR " in line) and "mqtt" in line]
    check("what Home Assistant complains of", lines == [], len(lines))
    print("".join(lines), end="")


if started() is None:
    print("Home Assistant does not start here")
    sys.exit(77)
for part in (known, switched, lit, all_off, outages, complaints):
    part()
sys.exit(1 if failed else 0)
