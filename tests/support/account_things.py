"""What an account has once, for the dump."""

from botocore.exceptions import ClientError

from canonical import Thing
from pages import pages


def or_none(read, *absent):
    """What is read; none where AWS answers with one of these codes."""
    try:
        return read()
    except ClientError as error:
        if error.response["Error"]["Code"] not in absent:
            raise
        return None


def roles(account):
    iam = account.client("iam")
    for listed in pages(iam, "list_roles", "Roles"):
        name = listed["RoleName"]
        if listed["Path"].startswith("/aws-service-role/"):
            yield Thing("service-linked role", name, [listed["RoleId"]], listed)
            continue
        role = iam.get_role(RoleName=name)["Role"]
        role["Attached"] = pages(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=name)
        role["Inline"] = {
            policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for policy in pages(iam, "list_role_policies", "PolicyNames", RoleName=name)
        }
        yield Thing("role", name, [role["RoleId"]], role)
    for listed in pages(iam, "list_instance_profiles", "InstanceProfiles"):
        name = listed["InstanceProfileName"]
        profile = iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
        profile["Roles"] = [role["RoleName"] for role in profile["Roles"]]
        yield Thing("instance profile", name, [profile["InstanceProfileId"]], profile)
    for listed in pages(iam, "list_policies", "Policies", Scope="Local"):
        arn = listed["Arn"]
        policy = iam.get_policy(PolicyArn=arn)["Policy"]
        version = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
        # How often it was changed is no part of what it says.
        fields = {k: v for k, v in policy.items() if k != "DefaultVersionId"}
        yield Thing("policy", policy["PolicyName"], [], {**fields, "Document": version["Document"]})


def identity(account):
    iam = account.client("iam")
    for listed in iam.list_saml_providers()["SAMLProviderList"]:
        provider = iam.get_saml_provider(SAMLProviderArn=listed["Arn"])
        tags = iam.list_saml_provider_tags(SAMLProviderArn=listed["Arn"])["Tags"]
        fields = {"Metadata": provider["SAMLMetadataDocument"], "Tags": tags}
        yield Thing("saml provider", listed["Arn"].split("/")[-1], [], fields)
    for alias in iam.list_account_aliases()["AccountAliases"]:
        yield Thing("account alias", alias)
    password = or_none(lambda: iam.get_account_password_policy()["PasswordPolicy"], "NoSuchEntity")
    if password:
        yield Thing("password policy", "the account's", [], password)


def zones(account):
    route53 = account.client("route53")
    for listed in pages(route53, "list_hosted_zones", "HostedZones"):
        known = listed["Id"].removeprefix("/hostedzone/")
        zone = route53.get_hosted_zone(Id=known)
        tags = route53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=known)["ResourceTagSet"]["Tags"]
        private = listed["Config"].get("PrivateZone")
        name = f"{listed['Name']} {'private' if private else 'public'}"
        fields = {
            "Config": listed["Config"],
            "VPCs": zone.get("VPCs"),
            "Tags": tags,
            "NameServers": zone.get("DelegationSet", {}).get("NameServers"),
        }
        yield Thing("hosted zone", name, [known], fields)
        for record in pages(route53, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=known):
            if record["Name"] == listed["Name"] and record["Type"] in ("NS", "SOA"):
                continue
            words = [record["Name"], record["Type"], record.get("SetIdentifier"), "in", name]
            yield Thing("record set", " ".join(word for word in words if word), [], record)


def buckets(account):
    s3 = account.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        name = {"Bucket": bucket["Name"]}
        policy = or_none(lambda: s3.get_bucket_policy(**name)["Policy"], "NoSuchBucketPolicy")
        block = or_none(lambda: s3.get_public_access_block(**name), "NoSuchPublicAccessBlockConfiguration")
        tags = or_none(lambda: s3.get_bucket_tagging(**name)["TagSet"], "NoSuchTagSet")
        encryption = or_none(lambda: s3.get_bucket_encryption(**name), "ServerSideEncryptionConfigurationNotFoundError")
        versions = s3.list_object_versions(**name)
        fields = {
            "Policy": policy,
            "PublicAccessBlock": block,
            "Tags": tags,
            "Encryption": encryption,
            "Lifecycle": or_none(
                lambda: s3.get_bucket_lifecycle_configuration(**name)["Rules"], "NoSuchLifecycleConfiguration"
            ),
            "Versioning": s3.get_bucket_versioning(**name).get("Status"),
            "Objects": len(versions.get("Versions", [])) + len(versions.get("DeleteMarkers", [])),
        }
        yield Thing("bucket", bucket["Name"], [], fields)
    block = or_none(
        lambda: account.client("s3control").get_public_access_block(AccountId=account.number)[
            "PublicAccessBlockConfiguration"
        ],
        "NoSuchPublicAccessBlockConfiguration",
    )
    if block:
        yield Thing("public access block", "the account's", [], block)


def billing(account):
    budgets = account.client("budgets")
    for budget in budgets.describe_budgets(AccountId=account.number)["Budgets"]:
        name = {"AccountId": account.number, "BudgetName": budget["BudgetName"]}
        notifications = budgets.describe_notifications_for_budget(**name)["Notifications"]
        for notification in notifications:
            told = budgets.describe_subscribers_for_notification(**name, Notification=notification)["Subscribers"]
            notification["Subscribers"] = told
        budget.pop("TimePeriod", None)
        yield Thing("budget", budget["BudgetName"], [], {**budget, "Notifications": notifications})
    for tag in account.client("ce").list_cost_allocation_tags()["CostAllocationTags"]:
        yield Thing("cost tag", tag["TagKey"], [], {"Status": tag["Status"]})


def organization(account):
    organizations = account.client("organizations")
    accounts = or_none(
        lambda: pages(organizations, "list_accounts", "Accounts"),
        "AWSOrganizationsNotInUseException",
        # moto, where the caller is a member.
        "AccessDeniedException",
    )
    for member in accounts or []:
        parents = organizations.list_parents(ChildId=member["Id"])["Parents"]
        told = {"Email": member["Email"], "Status": member["Status"], "Parents": parents}
        yield Thing("organization's account", member["Name"], [], told)


READERS = (roles, identity, zones, buckets, billing, organization)
