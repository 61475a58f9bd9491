"""epptools against a bundled registry: log in, read a contact, change its telephone number, read it back."""

import json
import sys

from epptools import Client, Config

line = json.load(open(sys.argv[1]))
handle = sys.argv[2]
_, port = line["address"].rsplit(":", 1)
client = Client(
    Config(
        host="localhost",
        port=int(port),
        clid=line["user"],
        password=open(line["password_file"]).read().strip(),
        ca_file=line["ca"],
        client_cert=line["cert"],
        client_key=line["key"],
    )
)
client.connect()
client.login()
before = client.contact.info(handle)
assert before.code() == 1000 and handle in before.raw, before.code()
wanted = "+49.3012345678"
updated = client.contact.update(handle, change={"voice": wanted})
assert updated.code() == 1000, (updated.code(), updated.message())
after = client.contact.info(handle)
assert wanted in after.raw and wanted not in before.raw, "the change is there"
client.logout()
client.disconnect()
print("epptools: logged in, read and updated a contact")
