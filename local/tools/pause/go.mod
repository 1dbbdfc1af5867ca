// The process that holds a pod's namespaces.
module primetrade/local/tools/pause

go 1.24.0
