"""Responses to the engine: property diffs, errors, and resources that failed to initialise."""

import sys
import traceback
from collections.abc import Callable
from typing import TypeVar

import grpc
from google.protobuf import any_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from local.plugins.kubernetes_provider.changes import Kind
from local.plugins.kubernetes_provider.create import InitFailedError
from local.plugins.kubernetes_provider.diff import Difference
from local.plugins.kubernetes_provider.errors import CancelledError, ProviderError, UnreachableError
from local.plugins.kubernetes_provider.values import encode

_Response = TypeVar("_Response")

# gRPC's own header for an error with details.
_DETAILS_HEADER = "grpc-status-details-bin"

_PropertyDiff = provider_pb2.PropertyDiff
_KINDS = {
    (Kind.ADD, False): _PropertyDiff.ADD,
    (Kind.ADD, True): _PropertyDiff.ADD_REPLACE,
    (Kind.DELETE, False): _PropertyDiff.DELETE,
    (Kind.DELETE, True): _PropertyDiff.DELETE_REPLACE,
    (Kind.UPDATE, False): _PropertyDiff.UPDATE,
    (Kind.UPDATE, True): _PropertyDiff.UPDATE_REPLACE,
}


def diff(found: Difference) -> provider_pb2.DiffResponse:
    """Tell the engine what differs, place by place."""
    replacing = set(found.replaces)
    detailed = {
        change.text(): _PropertyDiff(kind=_KINDS[change.kind, change in replacing], inputDiff=True)
        for change in found.changes
    }
    response = provider_pb2.DiffResponse
    return response(
        changes=response.DIFF_SOME if found.changes else response.DIFF_NONE,
        replaces=[change.text() for change in found.replaces],
        diffs=sorted({str(change.path[0]) for change in found.changes if change.path}),
        deleteBeforeReplace=found.delete_first,
        detailedDiff=detailed,
        hasDetailedDiff=True,
    )


def or_abort(context: grpc.ServicerContext, work: Callable[[], _Response]) -> _Response:
    """Run one call; what it raises aborts it with a status and one sentence."""
    try:
        return work()
    except InitFailedError as error:
        _abort_init_failed(context, error)
    except CancelledError as error:
        context.abort(grpc.StatusCode.CANCELLED, str(error))
    except UnreachableError as error:
        # Not UNAVAILABLE: the engine takes that for a provider that has died.
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
    except ProviderError as error:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
    except Exception as error:  # noqa: BLE001 a fault of our own still ends in a sentence
        traceback.print_exc(file=sys.stderr)
        context.abort(grpc.StatusCode.INTERNAL, f"the provider itself failed: {type(error).__name__}: {error}")
    raise AssertionError("context.abort raises")


def _abort_init_failed(context: grpc.ServicerContext, error: InitFailedError) -> None:
    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=error.identity, properties=encode(error.state), inputs=encode(error.inputs), reasons=error.reasons
        )
    )
    code = grpc.StatusCode.UNKNOWN
    status = status_pb2.Status(code=code.value[0], message=str(error), details=[detail])
    context.set_trailing_metadata(((_DETAILS_HEADER, status.SerializeToString()),))
    context.abort(code, str(error))
