"""django-scim2's adapters as they are: the project has nothing of its own to add."""

from django_scim.adapters import SCIMGroup as Group
from django_scim.adapters import SCIMUser as User

__all__ = ["Group", "User"]
