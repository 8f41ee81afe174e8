"""A certified client that none of us wrote, openid-client, at a cloud that asks for PAR, DPoP and a key."""

import asyncio
import json
import os
import time
from pathlib import Path

from joserfc.jwk import ECKey

from host_tools.cloud import certificates
from host_tools.cloud.oidc.described import Described
from tests.host_tools.cloud_rig import Rig, free_port
from tests.host_tools.npm_program import installed
from tests.host_tools.oidc_rig import BACK, address_on
from tests.host_tools.test_cloud_oidc_keys import key_set

CLIENT = Path(__file__).parents[1] / "fakes" / "openid_client"
BUILT = Path(__file__).parents[2] / "build" / "openid-client"
PATIENCE_S = 60  # node compiles, and others are at work here


async def test_a_stranger_pushes_proves_itself_and_binds_its_tokens(tmp_path):
    script, port, key = await installed(CLIENT, BUILT, "client.js"), free_port(), ECKey.generate_key("P-256")
    url, pipe = f"https://localhost:{port}", asyncio.subprocess.PIPE
    tls = certificates.load_or_create(tmp_path).portal_context()
    rig = Rig(tmp_path, tls=tls, port=port, public_url=url, strict_applications=True)
    rig.clock = time.time  # the other side's is none that we could move
    async with rig:
        await rig.parts.oidc.clients.add(Described("app", "Garden App", [BACK], jwks=key_set(key)))
        ada = rig.browser()
        await ada.join()
        environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(tmp_path / "cloud-ca.pem")}
        node = await asyncio.create_subprocess_exec("node", script, stdin=pipe, stdout=pipe, env=environment)
        try:
            asked = {"issuer": url, "client": "app", "redirect": BACK, "key": key.as_dict(private=True)}
            node.stdin.write(json.dumps(asked).encode() + b"\n")
            address = (await asyncio.wait_for(node.stdout.readline(), PATIENCE_S)).decode().strip()
            assert address.startswith(url + "/oidc/authorize?"), address
            page = await ada.get(address.removeprefix(url))
            fields = {"csrf": page.csrf, "query": address.partition("?")[2], "agree": "yes"}
            back = address_on(await ada.post_raw("/oidc/consent", fields))
            node.stdin.write(back.encode() + b"\n")
            learned = json.loads(await asyncio.wait_for(node.stdout.readline(), PATIENCE_S))
        finally:
            if node.returncode is None:
                node.kill()
            await node.wait()
    assert learned["type"].lower() == "dpop" and sorted(learned["query"]) == ["client_id", "request_uri"]
    assert learned["told"] == learned["toldAgain"] and learned["told"]["email"] == "ada@example.org"
    assert learned["after"] == "invalid_token"
