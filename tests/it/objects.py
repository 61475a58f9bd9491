"""An S3-compatible server (moto, from PyPI) for the tests of object storage, and what is asked of it from outside of the program.

serve CERTIFICATE KEY AUTHORITY   serves over TLS on a free port, makes a user and a bucket, and prints where and who as a line of JSON
                                  ("no more": from then on every request is held against its signature); lives as long as standard input
list PLACE                        prints each object of the bucket with its bytes and how it is encrypted
put PLACE KEY TEXT | remove PLACE KEY
query PLACE SQL                   prints the rows of a query by DuckDB, which reads the bucket itself

PLACE is what `serve` printed.
"""

import json
import os
import sys

BUCKET = "registrar"


def files(place):
    import s3fs

    client = {"verify": place["authority"]}
    return s3fs.S3FileSystem(key=place["id"], secret=place["key"], endpoint_url=place["endpoint"], client_kwargs=client)


def client(place):
    import boto3

    credentials = {"aws_access_key_id": place["id"], "aws_secret_access_key": place["key"], "region_name": "us-east-1"}
    return lambda service: boto3.client(service, endpoint_url=place["endpoint"], verify=place["authority"], **credentials)


def serve(certificate, key, authority):
    # So many requests are let in unsigned: those that make the user and the bucket.
    os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "4"
    import threading

    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log_request(self, *_):
            pass

    app = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet, ssl_context=(certificate, key))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = {"endpoint": f"https://127.0.0.1:{server.server_port}", "authority": authority, "id": "nobody", "key": "nothing"}
    iam = client(place)("iam")
    iam.create_user(UserName="privet")
    rights = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam.put_user_policy(UserName="privet", PolicyName="objects", PolicyDocument=json.dumps(rights))
    made = iam.create_access_key(UserName="privet")["AccessKey"]
    client(place)("s3").create_bucket(Bucket=BUCKET)
    place |= {"id": made["AccessKeyId"], "key": made["SecretAccessKey"], "bucket": BUCKET}
    print(json.dumps(place), flush=True)
    sys.stdin.read()


def listed(place):
    s3 = client(place)("s3")
    out = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for one in page.get("Contents", []):
            head = s3.head_object(Bucket=BUCKET, Key=one["Key"])
            out[one["Key"]] = {"bytes": one["Size"], "encryption": head.get("ServerSideEncryption"), "etag": one["ETag"]}
    uploads = s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    return {"objects": out, "unfinished": len(uploads)}


def query(place, sql):
    import duckdb

    line = duckdb.connect()
    line.register_filesystem(files(place))
    return [[str(value) for value in row] for row in line.execute(sql).fetchall()]


def main(verb, *given):
    if verb == "serve":
        return serve(*given)
    place, *given = given
    place = json.loads(place)
    if verb == "list":
        told = listed(place)
    elif verb == "put":
        told = bool(client(place)("s3").put_object(Bucket=BUCKET, Key=given[0], Body=given[1].encode()))
    elif verb == "remove":
        told = bool(client(place)("s3").delete_object(Bucket=BUCKET, Key=given[0]))
    else:
        told = query(place, *given)
    print(json.dumps(told))


main(*sys.argv[1:])
