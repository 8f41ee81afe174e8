"""What `make bench` holds the cloud's pages against renders the page that it is compared with."""

import re

from tests.bench import cloud_bare
from tests.host_tools.cloud_rig import Rig


async def test_the_bare_handler_answers_with_the_same_page(tmp_path):
    async with Rig(tmp_path) as rig:
        browser = rig.browser()
        await browser.join()
        ours = (await browser.get("/routers")).text
    bare = (await cloud_bare.routers(None)).text
    own = r'[0-9a-f]{64}|data-(now|ends)="[0-9]+"'  # a token, and moments
    assert re.sub(own, "", ours) == re.sub(own, "", bare)
