"""The least Django project around django-scim2, with SQLite.

The database is set up as Django's documentation advises for SQLite under load: WAL, transactions
that begin IMMEDIATE, a long wait for the lock. `synchronous` stays FULL, so that a commit is on the
disk when it is answered.
"""

import os

SECRET_KEY = "bench"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
WSGI_APPLICATION = "wsgi.application"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "people",
    "django_scim",
]
MIDDLEWARE = [
    "django.middleware.common.CommonMiddleware",
    "people.bearer.BearerMiddleware",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.path.join(os.environ["BENCH_DATA"], "django.sqlite"),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 60,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "people.User"
# A create carries a password, and Django's own hash of it takes a third of a second of the
# processor. The others store none, so this one's is made cheap.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SCIM_SERVICE_PROVIDER = {
    "NETLOC": "127.0.0.1",
    "SCHEME": "http",
    "AUTHENTICATION_SCHEMES": [{"type": "oauth2", "name": "OAuth 2", "description": ""}],
    "GROUP_MODEL": "people.models.Group",
    "USER_ADAPTER": "people.adapters.User",
    "GROUP_ADAPTER": "people.adapters.Group",
    "GET_IS_AUTHENTICATED_PREDICATE": "people.bearer.authenticated",
}
