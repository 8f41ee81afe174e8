// An application as openid-client makes one: its own key (private_key_jwt), a pushed request (PAR), bound tokens
// (DPoP). Standard input: one line of JSON (issuer, client, redirect, key: a private JWK), then the address that
// the browser was led back to. Standard output: where to send the browser, then what it learned, as JSON.
import { createInterface } from "node:readline/promises";
import * as client from "openid-client";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const line = async () => (await lines.next()).value;

const asked = JSON.parse(await line());
const curve = { name: "ECDSA", namedCurve: "P-256" };
const key = await crypto.subtle.importKey("jwk", asked.key, curve, false, ["sign"]);
const config = await client.discovery(new URL(asked.issuer), asked.client, {}, client.PrivateKeyJwt(key));
const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
const pkceCodeVerifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();
const expectedNonce = client.randomNonce();
const address = await client.buildAuthorizationUrlWithPAR(
  config,
  {
    redirect_uri: asked.redirect,
    scope: "openid email profile offline_access",
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
  },
  { DPoP },
);
console.log(address.href);

const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
const first = await client.authorizationCodeGrant(config, new URL(await line()), checks, undefined, { DPoP });
const { sub } = first.claims();
const told = await client.fetchUserInfo(config, first.access_token, sub, { DPoP });
const second = await client.refreshTokenGrant(config, first.refresh_token, undefined, { DPoP });
const toldAgain = await client.fetchUserInfo(config, second.access_token, sub, { DPoP });
await client.tokenRevocation(config, second.refresh_token);
const after = await client.fetchUserInfo(config, second.access_token, sub, { DPoP }).then(
  () => "still open",
  (error) => error.cause?.[0]?.parameters?.error ?? String(error),
);
console.log(JSON.stringify({ type: second.token_type, query: [...address.searchParams.keys()], told, toldAgain, after }));
process.exit(0);
