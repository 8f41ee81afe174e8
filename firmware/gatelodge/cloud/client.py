"""The phone-home shell: one WebSocket to the cloud around contract/link.py.

    client = CloudClient(
        identity,      # {serial_number, model, cloud: {host, port, server_name}} of the store's IDENTITY
        open_stream,   # async () -> Stream: connected to the cloud by mutual TLS (raises LineError or TlsError)
        clock,         # .now() -> unix s, .state -> text; .set(unix_s, "cloud") -> bool
        store,         # Store: CLOUD_OWNER and COMMANDS are kept in it
        facts,         # () -> {firmware, uptime_s, load, memory_free_kb, wan_up}, load is the 1-minute one
        commands,      # {name: async (args) -> value dict or None}, see contract.messages.COMMANDS; "reboot" does
                       # not return: its result is sent after the restart. claim and claim_cancel are built in
        entropy,       # (n) -> random bytes
        on_change,     # () called after .state or .claim changed; or None
    )
    await client.run()                      # for ever; cancel it to stop (says goodbye)
    client.state                            # {state: "connecting"|"online"|"offline", since, owner, last_error}
    client.claim                            # None or {claim_id, account: {name, email}, number, expires_at, expires_s}
    client.answer_claim(claim_id, approved) # StateError when that claim is not waiting any more
"""


class CloudClient:
    def __init__(self, identity, open_stream, clock, store, facts, commands, entropy, on_change=None):
        raise NotImplementedError
