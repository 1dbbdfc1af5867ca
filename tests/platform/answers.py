"""What the clouds answer, mocked: their data sources, and the outputs of what is made."""

from typing import Any

REGIONS = ("ams3", "fra1", "nyc3")
DROPLETS = ("s-1vcpu-2gb", "s-2vcpu-2gb", "s-2vcpu-4gb", "s-4vcpu-8gb", "g-4vcpu-16gb")
ACCOUNT = "123456789012"
KUBECONFIG = """
clusters: [{name: default, cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: Y2E=}}]
users: [{name: default, user: {client-certificate-data: Y2VydA==, client-key-data: a2V5}}]
"""


def ask(token: str, args: dict[str, Any]) -> dict[str, Any]:
    """Answer a data source.

    Raises:
        AssertionError: the program asks for something else.
    """
    match token.rpartition("/")[2]:
        case "getRegions:getRegions" if token.startswith("digitalocean:"):
            # One region lacks dedicated CPUs, and one takes nothing new.
            regions = [
                {"slug": slug, "available": slug != "nyc3", "features": [], "name": slug, "sizes": list(sizes)}
                for slug, sizes in zip(REGIONS, (DROPLETS, DROPLETS[:-1], DROPLETS), strict=True)
            ]
            return {"regions": regions, "id": "regions"}
        case "getKubernetesVersions:getKubernetesVersions":
            versions = [each for each in ("1.34.1-do.2", "1.33.5-do.0") if each.startswith(args["versionPrefix"])]
            return {"id": "versions", "latestVersion": versions[0] if versions else "", "validVersions": versions}
        case "getRegions:getRegions":
            return {"id": "regions", "names": ["us-east-1", "eu-central-1", "eu-south-9"]}
        case "getAvailabilityZones:getAvailabilityZones":
            names = ["eu-central-1c", "eu-central-1a", "eu-central-1b", "eu-central-1d"]
            return {"id": "zones", "names": names, "zoneIds": names, "groupNames": [], "region": "eu-central-1"}
        case "getInstanceTypeOfferings:getInstanceTypeOfferings":
            [wanted] = args["filters"][0]["values"]
            zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
            return {
                "id": "offerings",
                "instanceTypes": [wanted] * 3,
                "locations": zones if wanted != "t3.medium" else zones[:1],
                "locationTypes": [],
                "region": "eu-central-1",
            }
        case "getCallerIdentity:getCallerIdentity":
            return {"id": ACCOUNT, "accountId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:user/admin", "userId": "a"}
        case _:
            raise AssertionError(f"the program asks for {token}")


def created(kind: str, name: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the id and the outputs of a resource: its inputs, and what its provider adds."""
    last = kind.rpartition(":")[2]
    outputs = {"name": f"{name}-1a2b3c4", "urn": f"urn-of-{name}", **inputs}
    if kind.startswith("aws:"):
        outputs["arn"] = f"arn:aws:{kind.split(':')[1].split('/')[0]}:eu-central-1:{ACCOUNT}:{last.lower()}/{name}"
    extra: dict[str, dict[str, Any]] = {
        "KubernetesCluster": {
            "endpoint": "https://doks.example.com",
            "kubeConfigs": [{"clusterCaCertificate": "Y2E=", "token": "a-token", "rawConfig": "", "host": ""}],
        },
        "ReservedIp": {"ipAddress": "203.0.113.9"},
        "SshKey": {"fingerprint": "aa:bb"},
        "SpacesKey": {"accessKey": "an-id", "secretKey": "a-secret"},
        "PrivateKey": {"privateKeyOpenssh": f"private {name}", "publicKeyOpenssh": f"ssh-ed25519 {name}"},
        "Command": {"stdout": KUBECONFIG if name == "kubeconfig" else ""},
        "Cluster": {
            "endpoint": "https://eks.example.com",
            "certificateAuthority": {"data": "Y2E="},
            "identities": [{"oidcs": [{"issuer": "https://oidc.eks.eu-central-1.amazonaws.com/id/ABC"}]}],
        },
        "LaunchTemplate": {"latestVersion": 1},
        "Repository": {"repositoryUrl": f"{ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com/{name}"},
        "Bucket": {"bucket": f"{name}-1a2b3c4", "arn": f"arn:aws:s3:::{name}-1a2b3c4"},
        "Namespace": {"metadata": {"name": name, "uid": "the-id-of-the-cluster"}},
    }
    number = "4711" if last == "Droplet" else f"{name}-id"
    return number, {**outputs, **extra.get(last, {})}
