"""A static bearer token, the cheapest check there is."""


class Provider:
    """Who speaks SCIM."""

    def __init__(self, known):
        self.is_authenticated = known
        self.is_anonymous = not known


def authenticated(user):
    return user.is_authenticated


class BearerMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.user = Provider(request.headers.get("Authorization") == "Bearer bench")
        return self.get_response(request)
