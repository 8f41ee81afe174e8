"""A script of the tests for Node.js, with the packages from npm that its package.json asks for."""

import asyncio
import shutil

INSTALL_S = 300


async def installed(source, built, script):
    """The path of the script in `built`, where its packages stay until package.json in `source` changes."""
    wanted = (source / "package.json").read_bytes()
    mark = built / "installed.json"
    if not mark.exists() or mark.read_bytes() != wanted:
        built.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / "package.json", built)
        npm = await asyncio.create_subprocess_exec(
            "npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", cwd=built
        )
        assert await asyncio.wait_for(npm.wait(), INSTALL_S) == 0
        mark.write_bytes(wanted)
    shutil.copy(source / script, built)
    return built / script
