"""Lets the test look into Home Assistant and call its services: one JSON line each way, on a port of the loopback address."""

import asyncio
import json

from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.helpers import device_registry, entity_registry

DOMAIN = "probe"


async def async_setup(hass, config):
    settings = config[DOMAIN]

    async def started(_event):
        if not hass.config_entries.async_entries("mqtt"):
            await set_up_mqtt(hass, settings["broker"])
        await asyncio.start_server(serve, "127.0.0.1", settings["port"])

    async def serve(reader, writer):
        while line := await reader.readline():
            try:
                answer = await answer_to(hass, json.loads(line))
            except Exception as error:  # the test shall see it, whatever it is
                answer = {"error": repr(error)}
            writer.write((json.dumps(answer, default=str) + "\n").encode())
            await writer.drain()

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STARTED, started)
    return True


async def set_up_mqtt(hass, port):
    """As a user does: the integration is added, and told where the broker is."""
    flows = hass.config_entries.flow
    form = await flows.async_init("mqtt", context={"source": "user"})
    other = {"set_client_cert": False, "set_ca_cert": "off", "transport": "tcp"}
    broker = {"broker": "127.0.0.1", "port": port, "other_settings": other}
    end = await flows.async_configure(form["flow_id"], broker)
    if end["type"] != "create_entry":
        raise RuntimeError(f"MQTT cannot be set up: {end}")


async def answer_to(hass, question):
    if "call" in question:
        domain, service, data = question["call"]
        await hass.services.async_call(domain, service, data, blocking=True)
        return {}
    if question.get("show") == "states":
        return {state.entity_id: [state.state, dict(state.attributes)] for state in hass.states.async_all()}
    return devices(hass)


def devices(hass):
    """Those that came by MQTT: name, the name of the device that it is connected by, and its entities."""
    registry, entities = device_registry.async_get(hass), entity_registry.async_get(hass)
    entry = hass.config_entries.async_entries("mqtt")[0].entry_id
    found = device_registry.async_entries_for_config_entry(registry, entry)
    names = {device.id: device.name for device in found}
    return [
        {
            "name": device.name,
            "via": names.get(device.via_device_id),
            "entities": [
                entity.entity_id
                for entity in entity_registry.async_entries_for_device(
                    entities, device.id, include_disabled_entities=True
                )
            ],
        }
        for device in found
    ]
