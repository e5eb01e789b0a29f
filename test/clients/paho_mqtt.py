"""
Clients of paho-mqtt (Debian's python3-paho-mqtt) in one process, told by lines of JSON what to do. There is a line for each answer and
message, with the number of the client that it is about.
"""
import base64
import json
import socket
import sys
import threading

import paho.mqtt.client as mqtt

lock = threading.Lock()


class Client:
    def __init__(self, number, options):
        self.number = number
        version = mqtt.MQTTv31 if options["version"] == 3 else mqtt.MQTTv311
        client_id = options.get("clientId", "")
        self.client = client = mqtt.Client(client_id, clean_session=options.get("clean", True), protocol=version)
        if "username" in options:
            client.username_pw_set(options["username"], options["password"])
        will = options.get("will")
        if will is not None:
            client.will_set(will["topic"], will["payload"], will["qos"], will["retain"])
        if options.get("mute"):
            # It never says that it has a message.
            client._send_puback = lambda mid: mqtt.MQTT_ERR_SUCCESS
            client._send_pubrec = lambda mid: mqtt.MQTT_ERR_SUCCESS
        if options.get("silent"):
            client._check_keepalive = lambda: None
        client.on_connect = lambda c, u, flags, code: self.say(connack=code, present=flags["session present"] == 1)
        client.on_disconnect = self.ended
        client.on_subscribe = lambda c, u, mid, granted: self.say(granted=granted)
        client.on_unsubscribe = lambda c, u, mid: self.say(unsubscribed=True)
        client.on_message = self.message
        client.on_publish = lambda c, u, mid: self.say(published=True)
        client.connect("127.0.0.1", options["port"], options.get("keepalive", 60))
        client.loop_start()

    def say(self, **line):
        with lock:
            sys.stdout.write(json.dumps({"client": self.number, **line}) + "\n")
            sys.stdout.flush()

    def ended(self, _client, _userdata, _code):
        # Else it would connect again.
        self.client.loop_stop()
        self.say(closed=True)

    def message(self, _client, _userdata, message):
        marks = {"qos": message.qos, "retain": bool(message.retain), "dup": bool(message.dup)}
        self.say(topic=message.topic, payload=base64.b64encode(message.payload).decode(), **marks)

    def do(self, command):
        client = self.client
        if command["do"] == "subscribe":
            client.subscribe([tuple(each) for each in command["filters"]])
        elif command["do"] == "unsubscribe":
            client.unsubscribe(command["filter"])
        elif command["do"] == "publish":
            client.publish(command["topic"], base64.b64decode(command["payload"]), command["qos"], command["retain"])
        elif command["do"] == "leave":
            client.disconnect()
        elif command["do"] == "cut":
            client.socket().shutdown(socket.SHUT_RDWR)


clients = {}
for line in sys.stdin:
    told = json.loads(line)
    if told["do"] == "connect":
        clients[told["client"]] = Client(told["client"], told["options"])
    else:
        clients[told["client"]].do(told)
