"""The registry's users file, from the scenario: bcrypt, which it insists on; then the registry in place of this process."""

import crypt
import os
import warnings

import scenario

PROGRAM = "/usr/bin/docker-registry"

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    password = scenario.load()["aws"]["registry_password"]
    # As cheap as it may be: each request of a pull is checked.
    hashed = crypt.crypt(password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))
    with open(f"{scenario.PLACE}/htpasswd", "w", encoding="utf-8") as file:
        file.write(f"AWS:{hashed}\n")
    os.execv(PROGRAM, [PROGRAM, "serve", "/opt/boot-proof/registry.yml"])
