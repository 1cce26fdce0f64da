"""What moto answers otherwise than AWS, mended before it starts: Python reads this file by itself (PYTHONPATH)."""

try:
    from moto.s3.responses import S3Response
except ImportError:
    S3Response = None  # Another Python that a child of moto starts.


def get_bucket_versioning(self):
    """The answer's root element is AWS's; moto's is `GetBucketVersioningResponse`, which the SDK does not read."""
    status = self.backend.get_bucket_versioning(self.bucket_name)
    text = f"<Status>{status}</Status>" if status else ""
    namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
    return 200, {}, f'<VersioningConfiguration xmlns="{namespace}">{text}</VersioningConfiguration>'


if S3Response is not None:
    S3Response.get_bucket_versioning = get_bucket_versioning
