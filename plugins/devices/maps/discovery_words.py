"""The short forms that Home Assistant's MQTT discovery messages may use, for the settings that are read here.

Source: https://www.home-assistant.io/integrations/mqtt/#supported-abbreviations-in-mqtt-discovery-messages
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.api import Json

__all__ = ["spelled_out"]

SHORT = {
    "avty": "availability", "avty_mode": "availability_mode", "avty_t": "availability_topic",
    "avty_tpl": "availability_template", "bri_cmd_t": "brightness_command_topic",
    "bri_cmd_tpl": "brightness_command_template", "bri_scl": "brightness_scale",
    "bri_stat_t": "brightness_state_topic", "bri_val_tpl": "brightness_value_template",
    "clr_temp_cmd_t": "color_temp_command_topic", "clr_temp_cmd_tpl": "color_temp_command_template",
    "clr_temp_k": "color_temp_kelvin", "clr_temp_stat_t": "color_temp_state_topic",
    "clr_temp_val_tpl": "color_temp_value_template", "cmd_t": "command_topic", "cmd_tpl": "command_template",
    "cmps": "components", "curr_hum_t": "current_humidity_topic", "curr_hum_tpl": "current_humidity_template",
    "curr_temp_t": "current_temperature_topic", "curr_temp_tpl": "current_temperature_template", "dev": "device",
    "dev_cla": "device_class", "ent_cat": "entity_category", "fan_mode_cmd_t": "fan_mode_command_topic",
    "fan_mode_cmd_tpl": "fan_mode_command_template", "fan_mode_stat_t": "fan_mode_state_topic",
    "fan_mode_stat_tpl": "fan_mode_state_template", "hs_cmd_t": "hs_command_topic",
    "hs_cmd_tpl": "hs_command_template", "hs_stat_t": "hs_state_topic", "hs_val_tpl": "hs_value_template",
    "hum_cmd_t": "target_humidity_command_topic", "hum_cmd_tpl": "target_humidity_command_template",
    "hum_stat_t": "target_humidity_state_topic", "hum_state_tpl": "target_humidity_state_template",
    "max_hum": "max_humidity", "max_k": "max_kelvin", "max_mirs": "max_mireds", "min_hum": "min_humidity",
    "min_k": "min_kelvin", "min_mirs": "min_mireds", "mode_cmd_t": "mode_command_topic",
    "mode_cmd_tpl": "mode_command_template", "mode_stat_t": "mode_state_topic", "mode_stat_tpl": "mode_state_template",
    "obj_id": "object_id", "ops": "options", "p": "platform", "pct_cmd_t": "percentage_command_topic",
    "pct_cmd_tpl": "percentage_command_template", "pct_stat_t": "percentage_state_topic",
    "pct_val_tpl": "percentage_value_template", "pl_avail": "payload_available", "pl_cls": "payload_close",
    "pl_lock": "payload_lock", "pl_not_avail": "payload_not_available", "pl_off": "payload_off",
    "pl_on": "payload_on", "pl_open": "payload_open", "pl_paus": "payload_pause", "pl_prs": "payload_press",
    "pl_ret": "payload_return_to_base", "pl_stop": "payload_stop", "pl_strt": "payload_start",
    "pl_unlk": "payload_unlock", "pos_clsd": "position_closed", "pos_open": "position_open", "pos_t": "position_topic",
    "pos_tpl": "position_template", "pow_cmd_t": "power_command_topic", "pow_cmd_tpl": "power_command_template",
    "rgb_cmd_t": "rgb_command_topic", "rgb_cmd_tpl": "rgb_command_template", "rgb_stat_t": "rgb_state_topic",
    "rgb_val_tpl": "rgb_value_template", "sa": "suggested_area", "set_pos_t": "set_position_topic",
    "set_pos_tpl": "set_position_template", "spd_rng_max": "speed_range_max", "spd_rng_min": "speed_range_min",
    "stat_cla": "state_class", "stat_clsd": "state_closed", "stat_locked": "state_locked", "stat_off": "state_off",
    "stat_on": "state_on", "stat_open": "state_open", "stat_t": "state_topic", "stat_unlocked": "state_unlocked",
    "stat_val_tpl": "state_value_template", "sug_area": "suggested_area", "sup_clrm": "supported_color_modes",
    "t": "topic", "temp_cmd_t": "temperature_command_topic", "temp_cmd_tpl": "temperature_command_template",
    "temp_stat_t": "temperature_state_topic", "temp_stat_tpl": "temperature_state_template",
    "temp_unit": "temperature_unit", "uniq_id": "unique_id", "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template", "xy_cmd_t": "xy_command_topic", "xy_stat_t": "xy_state_topic",
    "xy_val_tpl": "xy_value_template",
}  # fmt: skip


def spelled_out(config: Mapping[str, Json]) -> dict[str, Json]:
    """A message with its settings' full names, and the base `~` put into its topics."""
    base = config.get("~")
    found: dict[str, Json] = {}
    for name, value in config.items():
        if name == "~":
            continue
        full = SHORT.get(name, name)
        if isinstance(value, str) and isinstance(base, str) and full.endswith("topic"):
            value = base + value[1:] if value.startswith("~") else value
            value = value[:-1] + base if value.endswith("~") else value
        elif full in ("device", "availability", "components"):
            value = _inner(full, value, base)
        found[full] = value
    return found


def _inner(name: str, value: Json, base: Json) -> Json:
    """The tables within a message have short forms too, and its base; each component is spelled out by itself."""
    if name == "components":
        return value
    around: dict[str, Json] = {"~": base} if isinstance(base, str) else {}
    if isinstance(value, dict):
        return spelled_out({**around, **value})
    if isinstance(value, list):
        return [spelled_out({**around, **entry}) if isinstance(entry, dict) else entry for entry in value]
    return value
