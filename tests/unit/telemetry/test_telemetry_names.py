"""Names that the semantic conventions have are theirs."""

from __future__ import annotations

import warnings

from opentelemetry.semconv.attributes import error_attributes

from engine.telemetry import names

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # deprecated there because they are kept in a repository of their own now
    from opentelemetry.semconv._incubating.attributes import gen_ai_attributes, mcp_attributes
    from opentelemetry.semconv._incubating.metrics import mcp_metrics


def test_attributes_are_those_of_the_conventions() -> None:
    """Errors, tools and MCP have names already."""
    assert names.ERROR_TYPE == error_attributes.ERROR_TYPE
    assert names.OPERATION == gen_ai_attributes.GEN_AI_OPERATION_NAME
    assert names.TOOL == gen_ai_attributes.GEN_AI_TOOL_NAME
    assert names.TOOL_TYPE == gen_ai_attributes.GEN_AI_TOOL_TYPE
    assert names.ARGUMENTS == gen_ai_attributes.GEN_AI_TOOL_CALL_ARGUMENTS
    assert names.MCP_METHOD == mcp_attributes.MCP_METHOD_NAME
    assert names.MCP_VERSION == mcp_attributes.MCP_PROTOCOL_VERSION
    assert gen_ai_attributes.GenAiOperationNameValues.EXECUTE_TOOL.value == names.CALL


def test_metrics_of_mcp_are_those_of_the_conventions() -> None:
    """Name and unit."""
    assert names.CLIENT_DURATION.name == mcp_metrics.MCP_CLIENT_OPERATION_DURATION
    assert names.SERVER_DURATION.name == mcp_metrics.MCP_SERVER_OPERATION_DURATION
    assert {metric.unit for metric in names.DURATIONS} == {"s"}
