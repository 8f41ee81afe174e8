// A certified OpenID provider at http://127.0.0.1:PORT: node provider.js PORT REDIRECT_URI SECRET
// Whoever signs in as NAME is NAME@example.org, and the provider vouches for it.
import Provider from "oidc-provider";

const [port, redirectUri, secret] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: "gatelodge",
    client_secret: secret,
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: "client_secret_post",
  }],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["given_name", "family_name"] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id, email: `${id}@example.org`, email_verified: true, given_name: "Ada", family_name: "Bell",
    }),
  }),
  pkce: { required: () => true },
  cookies: { keys: [secret] },
});

provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
